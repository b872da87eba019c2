import { inspect } from "node:util"
import { bytesToHex as hex, utf8ToBytes } from "@noble/hashes/utils.js"
import { expect, test } from "vitest"
import { AEAD_IV_SIZES } from "../test/openssl-aead.ts"
import { patternBytes } from "../test/placement.ts"
import { defaultEngine } from "./index.ts"
import { nodeEngine } from "./node/index.ts"
import { portableEngine } from "./portable/index.ts"

test("the default engine on Node is node:crypto", () => {
  expect(defaultEngine).toBe(nodeEngine)
  expect([nodeEngine.name, portableEngine.name]).toEqual(["node", "portable"])
})

test.each(["aes-gcm", "aes-ccm"] as const)("what one engine sealed with %s the other opens", (name) => {
  const key = patternBytes(32)
  const data = patternBytes(1024)
  const batch = {
    unitSize: 512,
    ivs: patternBytes(2 * AEAD_IV_SIZES[name]),
    aads: patternBytes(48),
    tags: new Uint8Array(32),
  }
  const sealed = new Uint8Array(1024)
  nodeEngine.aeadCipher(name, key).encryptUnits({ ...batch, source: data, target: sealed })
  const opened = portableEngine.aeadCipher(name, key).decryptUnits({ ...batch, source: sealed, target: sealed })
  expect(opened).toBe(-1)
  expect(hex(sealed)).toBe(hex(data))
})

test("no key shows when an object is inspected", () => {
  const key = utf8ToBytes("a key of exactly thirty-two byte")
  for (const engine of [nodeEngine, portableEngine]) {
    for (const object of [
      engine.blockCipher("aes", key),
      engine.aeadCipher("aes-gcm", key),
      engine.aeadCipher("aes-ccm", key),
      engine.hmac("sha1", key),
    ]) {
      const text = inspect(object, { depth: Infinity, showHidden: true })
      expect(text).not.toContain([...key.subarray(0, 4)].join(", "))
      expect(text).not.toContain(hex(key.subarray(0, 4)))
    }
  }
})
