import { createHash } from "node:crypto"
import { nodeEngine } from "@blockstrata/primitives/node"
import { expect, test } from "vitest"
import { DISCARD_FILLER, tagCheck } from "./tag-check.ts"

const BLOCK_SIZE = 1024
const salt = Uint8Array.from({ length: 16 }, (_, index) => index + 1)
const data = Uint8Array.from({ length: 3 * BLOCK_SIZE }, (_, index) => index % 251)

function check(acceptsFiller = false) {
  const hash = nodeEngine.hash("sha256")
  return tagCheck({ hash, blockSize: BLOCK_SIZE, tagSize: 32, salt, acceptsFiller, unitBlockCount: 1 })
}

// 2^32 sectors of 512 bytes are 2 TiB.
test.each([0, 2 ** 40, 2 ** 41 - BLOCK_SIZE, 2 ** 41, 2 ** 52 + BLOCK_SIZE])(
  "from byte %i: the hash of salt, sector number and block",
  (offset) => {
    const tags = new Uint8Array(96)
    check().compute(offset, data, tags)
    for (let index = 0; index < 3; index++) {
      const sector = new Uint8Array(8)
      new DataView(sector.buffer).setBigUint64(0, BigInt(offset + index * BLOCK_SIZE) / 512n, true)
      const block = data.subarray(index * BLOCK_SIZE, (index + 1) * BLOCK_SIZE)
      const expected = createHash("sha256").update(salt).update(sector).update(block).digest()
      expect(Buffer.compare(tags.subarray(index * 32, (index + 1) * 32), expected)).toBe(0)
    }
    expect(check().firstMismatch(offset, data, tags)).toBeUndefined()
    expect(check().firstMismatch(offset === 0 ? 2 ** 41 : offset - 2 ** 40, data, tags)).toMatchObject({
      blockCount: 3,
    })
  },
)

test("filler goes with any data only where discards are allowed, and only whole", () => {
  const tags = new Uint8Array(96)
  check().compute(0, data, tags)
  tags.fill(DISCARD_FILLER, 32, 64)
  expect(check(true).firstMismatch(0, data, tags)).toBeUndefined()
  expect(check().firstMismatch(0, data, tags)).toEqual({ blockIndex: 1, blockCount: 1 })
  for (const at of [32, 63]) {
    const almost = Uint8Array.from(tags).fill(0, at, at + 1)
    expect(check(true).firstMismatch(0, data, almost)).toEqual({ blockIndex: 1, blockCount: 1 })
  }
})
