import { hexToBytes as bytes, bytesToHex as hex, utf8ToBytes } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { HASH_NAMES, macByHost } from "../test/host-digest.ts"
import { place, placements } from "../test/placement.ts"
import type { HmacHashName } from "./engine.ts"

/** RFC 2202 (MD5, SHA-1), RFC 2286 (RIPEMD-160) and RFC 4231 (SHA-2); SHA-3 of the same messages, made with Python. */
const HI_THERE = { key: "0b".repeat(20), message: "Hi There" }
const JEFE = { key: hex(utf8ToBytes("Jefe")), message: "what do ya want for nothing?" }
const LONG_KEY = { key: "aa".repeat(131), message: "Test Using Larger Than Block-Size Key - Hash Key First" }
const CASES: readonly { name: HmacHashName; key: string; message: string; mac: string }[] = [
  { name: "md5", ...JEFE, mac: "750c783e6ab0b503eaa86e310a5db738" },
  { name: "rmd160", ...JEFE, mac: "dda6c0213a485a9e24f4742064a7f033b43c4069" },
  { name: "sha3-224", ...JEFE, mac: "7fdb8dd88bd2f60d1b798634ad386811c2cfc85bfaf5d52bbace5e66" },
  { name: "sha3-256", ...JEFE, mac: "c7d4072e788877ae3596bbb0da73b887c9171f93095b294ae857fbe2645e1ba5" },
  {
    name: "sha3-384",
    ...JEFE,
    mac: "f1101f8cbf9766fd6764d2ed61903f21ca9b18f57cf3e1a23ca13508a93243ce48c045dc007f26a21b3f5e0e9df4c20a",
  },
  {
    name: "sha3-512",
    ...JEFE,
    mac: "5a4bfeab6166427c7a3647b747292b8384537cdb89afb3bf5665e4c5e709350b287baec921fd7ca0ee7a0c31d022a95e1fc92ba9d77df883960275beb4e62024",
  },
  { name: "sha1", ...HI_THERE, mac: "b617318655057264e28bc0b6fb378c8ef146be00" },
  { name: "sha1", ...JEFE, mac: "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
  { name: "sha224", ...HI_THERE, mac: "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22" },
  { name: "sha224", ...JEFE, mac: "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
  { name: "sha224", ...LONG_KEY, mac: "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e" },
  { name: "sha256", ...HI_THERE, mac: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
  { name: "sha256", ...JEFE, mac: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
  { name: "sha256", ...LONG_KEY, mac: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
  {
    name: "sha384",
    ...HI_THERE,
    mac: "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
  },
  {
    name: "sha384",
    ...JEFE,
    mac: "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
  },
  {
    name: "sha384",
    ...LONG_KEY,
    mac: "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
  },
  {
    name: "sha512",
    ...HI_THERE,
    mac: "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
  },
  {
    name: "sha512",
    ...JEFE,
    mac: "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
  },
  {
    name: "sha512",
    ...LONG_KEY,
    mac: "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
  },
]

describe.each(engines)("HMAC of the $name engine", (engine) => {
  test.each(CASES)("$name: $message", ({ name, mac, key, message }) => {
    const hmac = engine.hmac(name, bytes(key))
    expect(hmac.digestSize).toBe(mac.length / 2)
    expect(hex(hmac.digest(utf8ToBytes(message)))).toBe(mac)
    expect(hex(hmac.digest(utf8ToBytes(message)))).toBe(mac)
  })

  test.each(HASH_NAMES)("%s is what the definition says, for any message, key and alignment", (name) => {
    const keys = fc.uint8Array({ maxLength: 200 })
    const messages = fc.uint8Array({ maxLength: 700 })
    fc.assert(
      fc.property(keys, messages, placements, placements, (key, message, keyPlace, messagePlace) => {
        const hmac = engine.hmac(name, place(key, keyPlace))
        expect(hex(hmac.digest(place(message, messagePlace)))).toBe(hex(macByHost(name, key, message)))
      }),
      { numRuns: runCount(25) },
    )
  })

  test("the caller's key may be wiped at once", () => {
    for (const name of ["sha256", "blake2b-256"] as const) {
      const key = utf8ToBytes("key")
      const hmac = engine.hmac(name, key)
      const expected = hex(macByHost(name, key, utf8ToBytes("abc")))
      key.fill(0)
      expect(hex(hmac.digest(utf8ToBytes("abc")))).toBe(expected)
    }
  })
})
