import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import fc from "fast-check"
import { expect, inject, test } from "vitest"
import { runCount } from "../../../../test/run-count.ts"
import { type Dust, dustTarget } from "./dust.ts"
import { sendMessage } from "./message.ts"

const BLOCK = 4096
const SIZE = 16 * BLOCK

function dust(start = 0): Dust & { medium: Uint8Array } {
  const medium = new Uint8Array(SIZE).fill(1)
  return { ...dustTarget({ lower: memoryDevice({ bytes: medium }), start, badBlockSize: BLOCK }), medium }
}

const read = (device: BlockDevice, offset: number, length: number) => device.read(offset, new Uint8Array(length))

test("bad blocks do harm once reads fail, a write to any part mends one, and so does a discard that begins there", async () => {
  const { device, badBlocks } = dust()
  badBlocks.add(2)
  badBlocks.add(5)
  await read(device, 0, SIZE)
  badBlocks.enable()
  const failure = { code: "IO", device: "dust", offset: 2 * BLOCK, length: BLOCK }
  await expect(read(device, 0, SIZE)).rejects.toMatchObject(failure)
  await expect(read(device, 2 * BLOCK + 512, 512)).rejects.toMatchObject({
    ...failure,
    offset: 2 * BLOCK + 512,
    length: 512,
  })
  await read(device, 3 * BLOCK, 2 * BLOCK)
  await device.write(2 * BLOCK + 512, new Uint8Array(512))
  await read(device, 0, 5 * BLOCK)
  await device.discard(4 * BLOCK, 2 * BLOCK)
  expect(badBlocks.list()).toEqual([5])
  await device.discard(5 * BLOCK, 512)
  expect(badBlocks.list()).toEqual([])
  badBlocks.add(6, { writeFailCount: 1 })
  const discard = { code: "IO", operation: "discard", offset: 6 * BLOCK, length: 2 * BLOCK }
  await expect(device.discard(6 * BLOCK, 2 * BLOCK)).rejects.toMatchObject(discard)
  await device.discard(6 * BLOCK, 2 * BLOCK)
  badBlocks.add(7)
  badBlocks.disable()
  await device.write(7 * BLOCK, new Uint8Array(BLOCK))
  expect(badBlocks.list()).toEqual([7])
})

test("writes fail as often as asked for; all blocks but the failing one are written", async () => {
  const { device, badBlocks, medium } = dust()
  badBlocks.add(2, { writeFailCount: 2 })
  badBlocks.enable()
  for (const value of [5, 6]) {
    const request = device.write(BLOCK, new Uint8Array(3 * BLOCK).fill(value))
    await expect(request).rejects.toMatchObject({ code: "IO", offset: 2 * BLOCK, length: BLOCK })
    expect([1, 2, 3].map((block) => medium[block * BLOCK])).toEqual([value, 1, value])
  }
  await device.write(BLOCK, new Uint8Array(2 * BLOCK).fill(7))
  expect(medium[3 * BLOCK - 1]).toBe(7)
  await read(device, 0, SIZE)
})

test("with a start inside a block, the first sector of each piece says whether the piece is bad", async () => {
  const { device, badBlocks } = dust(7 * 512)
  badBlocks.add(1)
  badBlocks.enable()
  // As a 6.1 kernel answered for the same line: sectors 1 to 7 lie in block 1, sector 0 in block 0.
  const failing = [
    [1, 1],
    [8, 1],
    [8, 8],
  ] as const
  const passing = [
    [0, 1],
    [9, 1],
  ] as const
  for (const [sector, count] of failing) await expect(read(device, sector * 512, count * 512)).rejects.toBeDefined()
  for (const [sector, count] of passing) await read(device, sector * 512, count * 512)
})

test("a model of bad blocks agrees", async () => {
  const command = fc.record({
    kind: fc.constantFrom("add", "read", "write", "enable", "disable", "clear", "remove"),
    block: fc.nat(15),
    count: fc.integer({ min: 1, max: 4 }),
    fails: fc.nat(2),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
      const { device, badBlocks, medium } = dust()
      const model = new Map<number, number>()
      let isFailing = false
      for (const { kind, block, count, fails } of commands) {
        const blocks = Array.from({ length: Math.min(count, 16 - block) }, (_, index) => block + index)
        const bytes = [block * BLOCK, new Uint8Array(blocks.length * BLOCK)] as const
        if (kind === "enable" || kind === "disable") {
          isFailing = kind === "enable"
          badBlocks[kind]()
        } else if (kind === "clear") {
          model.clear()
          badBlocks.clear()
        } else if (kind === "add") {
          if (model.has(block)) expect(() => badBlocks.add(block)).toThrow(RangeError)
          else badBlocks.add(block, { writeFailCount: fails })
          if (!model.has(block)) model.set(block, fails)
        } else if (kind === "remove") {
          if (model.delete(block)) badBlocks.remove(block)
          else expect(() => badBlocks.remove(block)).toThrow(RangeError)
        } else if (kind === "read") {
          const isBad = isFailing && blocks.some((each) => model.has(each))
          expect(await settled(device.read(...bytes))).toBe(!isBad)
        } else {
          const failed = blocks.filter((each) => {
            const rest = isFailing ? model.get(each) : undefined
            if (rest === 0) model.delete(each)
            if (rest !== undefined && rest > 0) model.set(each, rest - 1)
            return rest !== undefined && rest > 0
          })
          const value = 1 + (model.size % 7)
          bytes[1].fill(value)
          const before = new Uint8Array(medium)
          expect(await settled(device.write(...bytes))).toBe(failed.length === 0)
          for (const each of blocks) {
            const expected = failed.includes(each) ? before[each * BLOCK] : value
            expect([medium[each * BLOCK], medium[each * BLOCK + BLOCK - 1]]).toEqual([expected, expected])
          }
        }
        expect(badBlocks.list()).toEqual([...model.keys()].sort((left, right) => left - right))
      }
    }),
    { seed: inject("seed"), numRuns: runCount(100) },
  )
})

const settled = (request: Promise<void>) =>
  request.then(
    () => true,
    () => false,
  )

/** As Linux 6.1 answered, for 16 blocks. */
const MESSAGES: readonly (readonly [string, string | undefined])[] = [
  ["countbadblocks", "countbadblocks: 0 badblock(s) found"],
  ["listbadblocks", "No blocks in badblocklist"],
  ["addbadblock 3", ""],
  ["addbadblock 3", undefined],
  ["addbadblock +4", undefined],
  ["addbadblock 05 2", ""],
  ["AddBadBlock 16 255", ""],
  ["addbadblock 17", undefined],
  ["addbadblock 6x", undefined],
  ["addbadblock 6 256", undefined],
  ["addbadblock 6 1 1", undefined],
  ["addbadblock", undefined],
  ["queryblock 5", "dust_query_block: block 5 found in badblocklist"],
  ["queryblock 6", "dust_query_block: block 6 not found in badblocklist"],
  ["queryblock 17", undefined],
  ["queryblock 5 6", undefined],
  ["countbadblocks", "countbadblocks: 3 badblock(s) found"],
  ["countbadblocks 1", undefined],
  ["listbadblocks", "3\n5\n16"],
  ["removebadblock 3", ""],
  ["removebadblock 3", undefined],
  ["enable", ""],
  ["enable 1", undefined],
  ["quiet", ""],
  ["clearbadblocks", "dust_clear_badblocks: badblocks cleared"],
  ["clearbadblocks", "dust_clear_badblocks: no badblocks found"],
  ["disable", ""],
  ["nosuch", undefined],
  ["", undefined],
]

test("messages are answered as the kernel answers them", async () => {
  const { device } = dust()
  for (const [text, answer] of MESSAGES) {
    if (answer === undefined) await expect(sendMessage(device, text), text).rejects.toMatchObject({ code: "INVALID" })
    else expect(await sendMessage(device, text), text).toBe(answer)
  }
  expect(device.layer.status()).toEqual({ state: "bypass", log: "quiet", badBlockCount: 0 })
  await expect(sendMessage(memoryDevice({ size: 512 }), "enable")).rejects.toMatchObject({ code: "INVALID" })
})

test.each([256, 513, 768, 0, 2 * SIZE, 2 ** 31, 0.5])("refuses bad blocks of %d bytes", (badBlockSize) => {
  expect(() => dustTarget({ lower: memoryDevice({ size: SIZE }), badBlockSize })).toThrow(RangeError)
})
test("refuses bad blocks smaller than blocks", () => {
  const lower = memoryDevice({ size: SIZE, blockSize: 4096 })
  expect(() => dustTarget({ lower, badBlockSize: 512 })).toThrow(RangeError)
})
