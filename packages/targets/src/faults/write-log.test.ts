import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import fc from "fast-check"
import { describe, expect, inject, test } from "vitest"
import { runCount } from "../../../../test/run-count.ts"
import {
  decodeWriteLogHeader,
  decodeWriteLogSuperblock,
  encodeWriteLogHeader,
  encodeWriteLogSuperblock,
  type WriteLogHeader,
} from "./write-log.ts"
import { readWriteLog, replayWriteLog, type WriteLogEntry } from "./write-log-reader.ts"

const PLAIN = { offset: 0, length: 0, isFlush: false, isFua: false, isDiscard: false, isMetadata: false }

/** A log of `count` claimed entries, made of these headers and their data. */
function logOf(
  entries: readonly WriteLogEntry[],
  { count = entries.length, sectorSize = 512, tail = 0 } = {},
): Uint8Array {
  const parts = [encodeWriteLogSuperblock({ entryCount: count, sectorSize })]
  for (const entry of entries) {
    parts.push(encodeWriteLogHeader(entry, sectorSize))
    if (entry.data) parts.push(entry.data)
  }
  parts.push(new Uint8Array(tail))
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

async function readAll(log: BlockDevice | Uint8Array): Promise<WriteLogEntry[]> {
  const entries: WriteLogEntry[] = []
  for await (const entry of readWriteLog(log instanceof Uint8Array ? memoryDevice({ bytes: log }) : log))
    entries.push(entry)
  return entries
}

const header = (sectorSize: number): fc.Arbitrary<WriteLogHeader> =>
  fc.record({
    offset: fc.nat({ max: 2 ** 40 / sectorSize }).map((sector) => sector * sectorSize),
    length: fc.nat({ max: 4 }).map((count) => count * sectorSize),
    isFlush: fc.boolean(),
    isFua: fc.boolean(),
    isDiscard: fc.boolean(),
    isMetadata: fc.boolean(),
  })

describe("the format", () => {
  test("a header comes back", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(512, 4096),
        fc.option(fc.string({ maxLength: 479 }).map(latin1)),
        (sectorSize, mark) =>
          fc.assert(
            fc.property(header(sectorSize), (plain) => {
              const whole = mark === null ? plain : { ...plain, mark }
              expect(decodeWriteLogHeader(encodeWriteLogHeader(whole, sectorSize))).toEqual(whole)
            }),
            { numRuns: 5 },
          ),
      ),
      { seed: inject("seed"), numRuns: runCount(50) },
    )
  })

  test("a superblock comes back", () => {
    const superblock = { entryCount: 77, sectorSize: 4096 }
    const bytes = encodeWriteLogSuperblock(superblock)
    expect(bytes).toHaveLength(4096)
    expect(decodeWriteLogSuperblock(bytes, 78 * 4096)).toEqual(superblock)
    expect(() => decodeWriteLogSuperblock(bytes, 78 * 4096 - 512)).toThrow(expect.objectContaining({ code: "CORRUPT" }))
  })

  test("a mark is cut as the kernel cuts it, and is of bytes", () => {
    const long = decodeWriteLogHeader(encodeWriteLogHeader({ ...PLAIN, mark: "a".repeat(600) }, 512))
    expect(long.mark).toBe("a".repeat(479))
    for (const mark of ["\0", "\u0100", "x\u{1f600}"]) {
      expect(() => encodeWriteLogHeader({ ...PLAIN, mark }, 512)).toThrow(RangeError)
    }
  })
})

const latin1 = (text: string) =>
  [...text].map((each) => String.fromCharCode(1 + ((each.codePointAt(0) ?? 0) % 255))).join("")

/** Sets a field of 64 bits. */
const poke = (bytes: Uint8Array, offset: number, value: bigint): Uint8Array => {
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(offset, value, true)
  return bytes
}
const U64 = 2n ** 64n - 1n
const one = () => logOf([{ ...PLAIN, length: 512, data: new Uint8Array(512) }], { tail: 512 })

describe("hostile logs", () => {
  const cases: [name: string, log: Uint8Array, code: string][] = [
    ["no magic", poke(one(), 0, 1n), "CORRUPT"],
    ["all zero", new Uint8Array(4096), "CORRUPT"],
    ["another version", poke(one(), 8, 2n), "UNSUPPORTED"],
    ["more entries than sectors", poke(one(), 16, 4n), "CORRUPT"],
    ["2^64 - 1 entries", poke(one(), 16, U64), "CORRUPT"],
    ["2^55 entries", poke(one(), 16, 2n ** 55n), "CORRUPT"],
    ["no sector size", poke(one(), 24, 0n), "CORRUPT"],
    ["a sector size of 513", poke(one(), 24, 513n), "CORRUPT"],
    ["a sector size of 2^31", poke(one(), 24, 2n ** 31n), "CORRUPT"],
    ["data beyond the log", poke(one(), 512 + 8, 3n), "CORRUPT"],
    ["2^64 - 1 sectors", poke(one(), 512 + 8, U64), "CORRUPT"],
    ["a place beyond 2^53", poke(one(), 512, 2n ** 44n), "CORRUPT"],
    ["a place of 2^64 - 1 sectors", poke(one(), 512, U64), "CORRUPT"],
    ["a place and a length that are beyond together", poke(poke(one(), 512, 2n ** 44n - 1n), 512 + 16, 4n), "CORRUPT"],
    ["unknown flags", poke(one(), 512 + 16, 32n), "UNSUPPORTED"],
    ["all flags", poke(one(), 512 + 16, U64), "UNSUPPORTED"],
    ["a mark beyond its sector", poke(poke(one(), 512 + 16, 8n), 512 + 24, 481n), "CORRUPT"],
    ["a mark of 2^64 - 1 bytes", poke(poke(one(), 512 + 16, 8n), 512 + 24, U64), "CORRUPT"],
    ["a header beyond the log", poke(poke(one(), 512 + 8, 2n), 16, 2n), "CORRUPT"],
  ]
  test.each(cases)("%s", async (_, log, code) => {
    await expect(readAll(log)).rejects.toMatchObject({ name: "BlockError", code })
  })

  test("an entry is not allocated before its bounds are known, nor above 64 MiB at all", async () => {
    const log = memoryDevice({ size: 2 ** 42 })
    await log.write(0, poke(one(), 512 + 8, 2n ** 43n))
    await expect(readAll(log)).rejects.toMatchObject({ code: "CORRUPT" })
    await log.write(0, poke(one(), 512 + 8, 2n ** 31n))
    await expect(readAll(log)).rejects.toMatchObject({ code: "UNSUPPORTED" })
  })

  test("a log of no room", async () => {
    await expect(readAll(new Uint8Array(0))).rejects.toMatchObject({ code: "CORRUPT" })
  })

  test("any damage is read, or refused with a code", async () => {
    const entries = [
      { ...PLAIN, length: 1024, data: new Uint8Array(1024).fill(5) },
      { ...PLAIN, isDiscard: true, offset: 4096, length: 8192 },
      { ...PLAIN, isFlush: true },
      { ...PLAIN, mark: "here" },
    ]
    const damage = fc.array(fc.tuple(fc.nat(511), fc.nat(6), fc.nat(255)), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const log = logOf(entries, { tail: 512 })
        for (const [index, sector, value] of changes) log[sector * 512 + (index % 40)] = value
        try {
          const total = (await readAll(log)).reduce((sum, { data }) => sum + (data?.length ?? 0), 0)
          expect(total).toBeLessThan(log.length)
        } catch (error) {
          expect(error).toMatchObject({ name: "BlockError", code: expect.stringMatching(/^(CORRUPT|UNSUPPORTED)$/) })
        }
      }),
      { seed: inject("seed"), numRuns: runCount(500) },
    )
  })
})

describe("reading", () => {
  test("the entries before the one that breaks come first", async () => {
    const log = logOf([
      { ...PLAIN, mark: "good" },
      { ...PLAIN, length: 512, data: new Uint8Array(512) },
    ])
    poke(log, 1024 + 8, 100n)
    const entries = readWriteLog(memoryDevice({ bytes: log }))
    expect((await entries.next()).value).toEqual({ ...PLAIN, mark: "good" })
    await expect(entries.next()).rejects.toMatchObject({ code: "CORRUPT" })
  })

  test("a log of small sectors on a device of large blocks", async () => {
    const entries = [
      { ...PLAIN, offset: 512, length: 512, data: new Uint8Array(512).fill(3) },
      { ...PLAIN, mark: "m" },
    ]
    const bytes = logOf(entries, { tail: 4096 - 2048 })
    expect(await readAll(memoryDevice({ bytes, blockSize: 4096 }))).toEqual(entries)
  })

  test("replay: all of it, so many entries, or until a mark; a discard where the device has none is zeroes", async () => {
    const data = (value: number) => new Uint8Array(512).fill(value)
    const log = logOf([
      { ...PLAIN, offset: 512, length: 512, data: data(1) },
      { ...PLAIN, mark: "one" },
      { ...PLAIN, isDiscard: true, length: 1024 },
      { ...PLAIN, mark: "one" },
      { ...PLAIN, length: 512, isFua: true, data: data(2) },
    ])
    const replay = async (tagSize: number, options: Parameters<typeof replayWriteLog>[2]) => {
      const device = memoryDevice({ size: 1024, tagSize })
      const count = await replayWriteLog(memoryDevice({ bytes: log }), device, options)
      const bytes = new Uint8Array(1024)
      await device.read(0, bytes)
      return [count, bytes[0], bytes[512]]
    }
    for (const tagSize of [0, 4]) {
      expect(await replay(tagSize, {})).toEqual([5, 2, 0])
      expect(await replay(tagSize, { entryCountMax: 0 })).toEqual([0, 0, 0])
      expect(await replay(tagSize, { entryCountMax: 1 })).toEqual([1, 0, 1])
      expect(await replay(tagSize, { untilMark: "one" })).toEqual([2, 0, 1])
      expect(await replay(tagSize, { entryCountMax: 3 })).toEqual([3, 0, 0])
    }
    await expect(replayWriteLog(memoryDevice({ bytes: log }), memoryDevice({ size: 512 }))).rejects.toThrow(RangeError)
  })
})
