import { bytesToHex as hex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { afterEach, describe, expect, test, vi } from "vitest"
import { runCount } from "../../../../test/run-count.ts"
import { batches, joinBytes, type PlacedBatch } from "../../test/hash-batch.ts"
import { HASH_NAMES } from "../../test/host-digest.ts"
import { patternBytes } from "../../test/placement.ts"
import { type UnitDigest, unitHashOf } from "../unit-hash.ts"
import { hostOneShot, nodeHash, nodeHmac } from "./hash.ts"

afterEach(() => {
  vi.restoreAllMocks()
})

function digestsOf(digest: UnitDigest, { units, unitSize, heads, prefix, suffix }: PlacedBatch): string {
  const digests = new Uint8Array(units.length * digest.digestSize)
  const batch = { data: joinBytes(units), unitSize, heads: heads && joinBytes(heads), prefix, suffix }
  unitHashOf(digest).digestUnits(batch, digests)
  return hex(digests)
}

describe.each(HASH_NAMES)("%s by node:crypto", (name) => {
  test("with and without the one-shot hash the same", () => {
    expect(hostOneShot).toBeTypeOf("function")
    const key = patternBytes(150)
    const plain = [nodeHash(name, undefined), nodeHmac(name, key, undefined)]
    const oneShot = [nodeHash(name, hostOneShot), nodeHmac(name, key, hostOneShot)]
    fc.assert(
      fc.property(batches, (batch) => {
        for (const [index, digest] of oneShot.entries())
          expect(digestsOf(digest, batch)).toBe(digestsOf(plain[index] as UnitDigest, batch))
      }),
      { numRuns: runCount(20) },
    )
  })
})

test("destroy wipes the key, both of its pads and the last message", () => {
  const key = patternBytes(64)
  const hmac = unitHashOf(nodeHmac("sha256", key, hostOneShot))
  const data = patternBytes(512, 7)
  hmac.digestUnits({ data, unitSize: 512 }, new Uint8Array(32))
  const wiped: string[] = []
  const fill = Uint8Array.prototype.fill
  vi.spyOn(Uint8Array.prototype, "fill").mockImplementation(function (this: Uint8Array, value: number) {
    if (value === 0) wiped.push(hex(new Uint8Array(this)))
    return fill.call(this, value)
  })
  hmac.destroy()
  const inner = hex(key.map((byte) => byte ^ 0x36))
  expect(wiped).toEqual(expect.arrayContaining([hex(key), inner, inner + hex(data)]))
  expect(wiped.some((bytes) => bytes.startsWith(hex(key.map((byte) => byte ^ 0x5c))))).toBe(true)
  expect(hex(key)).toBe(hex(patternBytes(64)))
})

test("what was hashed in place of another message leaves nothing of it behind", () => {
  const hash = unitHashOf(nodeHash("sha256", hostOneShot))
  const digestOf = (data: Uint8Array, prefix: Uint8Array | undefined) => {
    const digests = new Uint8Array(32)
    hash.digestUnits({ data, unitSize: data.length, prefix }, digests)
    return hex(digests)
  }
  const salt = patternBytes(32)
  const small = patternBytes(10)
  const before = digestOf(small, salt)
  digestOf(patternBytes(4096), salt)
  expect(digestOf(small, salt)).toBe(before)
  expect(digestOf(small, undefined)).toBe(hex(hash.digest(small)))
})
