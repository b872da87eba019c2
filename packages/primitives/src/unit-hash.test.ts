import { bytesToHex as hex, utf8ToBytes } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { batches, joinBytes, type PlacedBatch } from "../test/hash-batch.ts"
import { digestByHost, HASH_NAMES } from "../test/host-digest.ts"
import { isGuarded, place, placements } from "../test/placement.ts"
import type { HashName, UnitHash } from "./engine.ts"

/**
 * FIPS 180-4 and 202 examples; RFC 1321, A.5; RFC 7693, appendices A and B, and the BLAKE2 reference vectors; the papers of
 * RIPEMD-160 and of xxHash. Of "" and of "abc".
 */
const DIGESTS: readonly { name: HashName; empty: string; abc: string }[] = [
  {
    name: "sha1",
    empty: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    abc: "a9993e364706816aba3e25717850c26c9cd0d89d",
  },
  {
    name: "sha224",
    empty: "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
    abc: "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
  },
  {
    name: "sha256",
    empty: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    abc: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  },
  {
    name: "sha384",
    empty: "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
    abc: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
  },
  {
    name: "sha512",
    empty:
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    abc: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  },
  {
    name: "blake2b-256",
    empty: "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
    abc: "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
  },
  {
    name: "blake2b-512",
    empty:
      "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce",
    abc: "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
  },
  {
    name: "blake2s-256",
    empty: "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9",
    abc: "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
  },
  {
    name: "md5",
    empty: "d41d8cd98f00b204e9800998ecf8427e",
    abc: "900150983cd24fb0d6963f7d28e17f72",
  },
  {
    name: "rmd160",
    empty: "9c1185a5c5e9fc54612808977ee8f548b2258d31",
    abc: "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
  },
  {
    name: "sha3-224",
    empty: "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7",
    abc: "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
  },
  {
    name: "sha3-256",
    empty: "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
    abc: "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
  },
  {
    name: "sha3-384",
    empty: "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2ac3713831264adb47fb6bd1e058d5f004",
    abc: "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
  },
  {
    name: "sha3-512",
    empty:
      "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a615b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26",
    abc: "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
  },
  { name: "crc32", empty: "00000000", abc: "d09865ca" },
  { name: "xxhash64", empty: "99e9d85137db46ef", abc: "990977adf52cbc44" },
  { name: "crc32c", empty: "00000000", abc: "b73f4b36" },
]

function digestBatch(hash: UnitHash, { unitSize, units, heads, prefix, suffix, places }: PlacedBatch): string {
  const digests = place(new Uint8Array(units.length * hash.digestSize), places[1])
  const data = place(joinBytes(units), places[0])
  hash.digestUnits({ data, unitSize, prefix, suffix, heads: heads && joinBytes(heads) }, digests)
  return isGuarded(digests) && isGuarded(data) ? hex(digests) : "wrote outside"
}

function digestOneByOne(hash: UnitHash, { units, heads, prefix, suffix }: PlacedBatch): string {
  const nothing = new Uint8Array(0)
  const digests = units.map((unit, index) =>
    hash.digest(prefix ?? nothing, heads?.[index] ?? nothing, unit, suffix ?? nothing),
  )
  return hex(joinBytes(digests))
}

describe.each(engines)("hashes of the $name engine", (engine) => {
  test.each(DIGESTS)("$name", ({ name, empty, abc }) => {
    const hash = engine.hash(name)
    expect(hash.digestSize).toBe(abc.length / 2)
    expect(hex(hash.digest())).toBe(empty)
    expect(hex(hash.digest(utf8ToBytes("abc")))).toBe(abc)
    expect(hex(hash.digest(utf8ToBytes("a"), utf8ToBytes("bc")))).toBe(abc)
    expect(Object.getPrototypeOf(hash.digest())).toBe(Uint8Array.prototype)
  })

  test.each(HASH_NAMES)("%s is the host's, for any message and alignment", (name) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), placements, (message, placement) => {
        expect(hex(engine.hash(name).digest(place(message, placement)))).toBe(hex(digestByHost(name, message)))
      }),
      { numRuns: runCount(25) },
    )
  })

  test.each(DIGESTS)("$name: a batch is its units with prefix, heads and suffix", ({ name }) => {
    fc.assert(
      fc.property(batches, (batch) => {
        expect(digestBatch(engine.hash(name), batch)).toBe(digestOneByOne(engine.hash(name), batch))
      }),
      { numRuns: runCount(25) },
    )
  })

  test.each(HASH_NAMES)("HMAC %s: a batch is its units with prefix, heads and suffix", (name) => {
    const hmac = engine.hmac(name, utf8ToBytes("key"))
    fc.assert(
      fc.property(batches, (batch) => {
        expect(digestBatch(hmac, batch)).toBe(digestOneByOne(hmac, batch))
      }),
      { numRuns: runCount(15) },
    )
  })
})
