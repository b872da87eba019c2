import { type BlockDevice, hostRuntime, memoryDevice, type TableWord } from "@blockstrata/device"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { faultTarget } from "./faults/index.ts"
import { errorWord, linearWord, mirrorWord, stripedWord, zeroWord } from "./index.ts"

const WORDS: Readonly<Record<string, TableWord>> = {
  linear: linearWord,
  striped: stripedWord,
  mirror: mirrorWord,
  zero: zeroWord,
  error: errorWord,
}

function parse(text: string, sectors: number): { word: TableWord; line: unknown } {
  const [name = "", ...args] = text.split(" ")
  const word = WORDS[name] as TableWord
  return { word, line: word.parse(args, sectors * 512) }
}

async function open(text: string, sectors: number, blockSize = 512): Promise<BlockDevice> {
  const { word, line } = parse(text, sectors)
  return word.open(line, {
    size: sectors * 512,
    device: () => memoryDevice({ size: 2048 * 512, blockSize }),
    readOnly: false,
    runtime: hostRuntime,
  })
}

/** As the kernel took them. */
const ACCEPTED: readonly (readonly [string, number, string])[] = [
  ["linear a 0", 8, "linear a 0"],
  ["linear a 010", 8, "linear a 10"],
  ["linear a 2040", 8, "linear a 2040"],
  ["striped 2 8 a 0 b 0", 16, "striped 2 8 a 0 b 0"],
  ["striped 2 3 a 0 b 5", 6, "striped 2 3 a 0 b 5"],
  ["striped +2 +3 a 0 b 5", 6, "striped 2 3 a 0 b 5"],
  ["striped 02 03 a 0 b 5", 6, "striped 2 3 a 0 b 5"],
  ["striped 1 3 a 0", 6, "striped 1 3 a 0"],
  ["striped 2 3 a 2045 b 5", 6, "striped 2 3 a 2045 b 5"],
  ["mirror core 1 8 2 a 0 b 0", 64, "mirror core 1 8 2 a 0 b 0"],
  ["mirror core 2 8 nosync 2 a 0 b 0", 64, "mirror core 2 8 nosync 2 a 0 b 0"],
  ["mirror core 02 08 sync 02 a 00 b 5", 64, "mirror core 2 8 sync 2 a 0 b 5"],
  ["mirror core 1 2 3 a 0 b 1 c 2", 2, "mirror core 1 2 3 a 0 b 1 c 2"],
  ["mirror core 1 64 2 a 0 b 0", 64, "mirror core 1 64 2 a 0 b 0"],
  ["mirror core 1 8 2 a 0 b 0", 60, "mirror core 1 8 2 a 0 b 0"],
  ["mirror core 1 8 2 a 0 b 0 0", 64, "mirror core 1 8 2 a 0 b 0"],
  ["mirror core 1 8 2 a 0 b 0 1 handle_errors", 64, "mirror core 1 8 2 a 0 b 0 1 handle_errors"],
  ["mirror core 1 8 2 a 0 b 0 2 keep_log handle_errors", 64, "mirror core 1 8 2 a 0 b 0 2 handle_errors keep_log"],
  ["mirror core 1 8 2 a 0 b 0 2 handle_errors handle_errors", 64, "mirror core 1 8 2 a 0 b 0 1 handle_errors"],
  [`mirror core 1 8 9${" a 0".repeat(9)}`, 64, `mirror core 1 8 9${" a 0".repeat(9)}`],
  ["zero", 8, "zero"],
  ["error", 8, "error"],
  ["error a b", 8, "error"],
]

/** As the kernel refused them, when it read the line or when it met the devices (of 2048 sectors). */
const REFUSED: readonly (readonly [string, number])[] = [
  ["linear", 8],
  ["linear a", 8],
  ["linear a 0 0", 8],
  ["linear a +0", 8],
  ["linear a -0", 8],
  ["linear a 0x8", 8],
  ["linear a 8s", 8],
  ["linear a 2041", 8],
  ["linear a 2048", 8],
  ["linear a 18446744073709551615", 8],
  ["striped", 6],
  ["striped 2", 6],
  ["striped 2 8 a 0 b 0", 8],
  ["striped 2 3 a 0", 6],
  ["striped 2 3 a 0 b", 6],
  ["striped 2 3 a 0 b 5 6", 6],
  ["striped 0 3 a 0 b 5", 6],
  ["striped 2 0 a 0 b 5", 6],
  ["striped -2 3 a 0 b 5", 6],
  ["striped 0x2 3 a 0 b 5", 6],
  ["striped 2 3 a +0 b 5", 6],
  ["striped 2 3s a 0 b 5", 6],
  ["striped 2 3 a 0 b 5", 7],
  ["striped 2 3 a 0 b 5", 8],
  ["striped 4294967298 3 a 0 b 5", 6],
  ["striped 2 4294967299 a 0 b 5", 6],
  ["striped 2 3 a 2046 b 5", 6],
  ["mirror", 64],
  ["mirror core", 64],
  ["mirror core 1", 64],
  ["mirror core x 8 2 a 0 b 0", 64],
  ["mirror core +1 8 2 a 0 b 0", 64],
  ["mirror core 0 2 a 0 b 0", 64],
  ["mirror core 3 8 nosync x 2 a 0 b 0", 64],
  ["mirror core 2 8 blah 2 a 0 b 0", 64],
  ["mirror core 2 8 NOSYNC 2 a 0 b 0", 64],
  ["mirror nolog 1 8 2 a 0 b 0", 64],
  ["mirror core 1 +8 2 a 0 b 0", 64],
  ["mirror core 1 1 2 a 0 b 0", 64],
  ["mirror core 1 3 2 a 0 b 0", 64],
  ["mirror core 1 128 2 a 0 b 0", 64],
  ["mirror core 1 2 2 a 0 b 0", 1],
  ["mirror core 1 8 0", 64],
  ["mirror core 1 8 1 a 0", 64],
  ["mirror core 1 8 +2 a 0 b 0", 64],
  [`mirror core 1 8 10${" a 0".repeat(10)}`, 64],
  ["mirror core 1 8 2 a 0", 64],
  ["mirror core 1 8 2 a 0 b +3", 64],
  ["mirror core 1 8 2 a 0 b 1985", 64],
  ["mirror core 1 8 2 a 0 b 4000000", 64],
  ["mirror core 1 8 2 a 0 b 0 x", 64],
  ["mirror core 1 8 2 a 0 b 0 1 foo", 64],
  ["mirror core 1 8 2 a 0 b 0 1 keep_log", 64],
  ["mirror core 1 8 2 a 0 b 0 2 handle_errors", 64],
  ["mirror core 1 8 2 a 0 b 0 1 handle_errors extra", 64],
  ["zero a", 8],
]

describe("lines as Linux 6.1 reads them", () => {
  test.each(ACCEPTED)("%s, %i sectors", async (text, sectors, printed) => {
    const { word, line } = parse(text, sectors)
    expect([word.word, ...word.print(line, { showKeys: false })].join(" ")).toBe(printed)
    expect((await open(text, sectors)).size).toBe(sectors * 512)
  })

  test.each(REFUSED)("not %s, %i sectors", async (text, sectors) => {
    const opened = async () => open(text, sectors)
    await expect(opened()).rejects.toMatchObject({ name: "BlockError", code: "INVALID" })
  })
})

test("what Linux takes to mean something else is refused by name", () => {
  expect(() => parse("linear a 18446744073709551624", 8)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }))
  expect(() => parse(`linear a ${"9".repeat(1000)}`, 8)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }))
  for (const text of [
    "mirror core 4294967297 8 2 a 0 b 0",
    "mirror core 1 4294967304 2 a 0 b 0",
    "mirror core 1 8 4294967298 a 0 b 0",
    "mirror core 1 8 2 a 0 b 18446744073709551616",
  ])
    expect(() => parse(text, 64)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }))
})

test("a mirror with a log that is kept somewhere is refused by name", () => {
  for (const text of ["mirror disk 2 c 8 2 a 0 b 0", "mirror userspace 3 uuid x 8 2 a 0 b 0"])
    expect(() => parse(text, 64)).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED", message: expect.stringContaining(text.split(" ")[1] as string) }),
    )
})

describe("an opened line of a mirror", () => {
  const SECTORS = 64
  const filled = (byte: number) => new Uint8Array(SECTORS * 512).fill(byte)

  async function openMirror(text: string, readOnly = false) {
    const media = [filled(1), filled(2)]
    const lowers = media.map((bytes) => faultTarget({ lower: memoryDevice({ bytes }) }))
    const { word, line } = parse(text, SECTORS)
    const events: string[] = []
    const device = await word.open(line, {
      size: SECTORS * 512,
      device: (operand) => lowers[operand === "a" ? 0 : 1]!.device,
      readOnly,
      runtime: hostRuntime,
      onEvent: ({ kind }) => void events.push(kind),
    })
    const first = async () => {
      const buffer = new Uint8Array(512)
      await device.read(0, buffer)
      return buffer[0]
    }
    return { device, media, lowers, events, first }
  }

  test("gives the first leg's content to the others, but not with nosync, and not read-only", async () => {
    const { media, events, first } = await openMirror("mirror core 1 8 2 a 0 b 0")
    expect(media[1]).toEqual(filled(1))
    expect([events, await first()]).toEqual([["recovered"], 1])
    const nosync = await openMirror("mirror core 2 8 nosync 2 b 0 a 0")
    expect([nosync.media, await nosync.first()]).toEqual([[filled(1), filled(2)], 2])
    const readOnly = await openMirror("mirror core 2 8 sync 2 a 0 b 0", true)
    expect([readOnly.media, await readOnly.first()]).toEqual([[filled(1), filled(2)], 1])
    readOnly.lowers[0]!.faults.set([{ kind: "error", operations: ["read"] }])
    await expect(readOnly.first()).rejects.toMatchObject({ code: "IO" })
  })

  test("goes on without a leg that fails a write, but not with handle_errors alone", async () => {
    for (const [features, goesOn] of [
      ["", true],
      [" 1 handle_errors", false],
      [" 2 handle_errors keep_log", true],
    ] as const) {
      const { device, lowers, events, first } = await openMirror(`mirror core 2 8 nosync 2 a 0 b 0${features}`)
      lowers[0]!.faults.set([{ kind: "error", operations: ["write"] }])
      const write = device.write(0, new Uint8Array(512).fill(9))
      if (goesOn) await write
      else await expect(write).rejects.toMatchObject({ code: "IO" })
      expect([events, await first()]).toEqual(goesOn ? [["degraded"], 9] : [[], 1])
    }
  })

  test("stands on its first leg alone where the copy fails", async () => {
    const text = "mirror core 1 8 2 a 0 b 0"
    const { word, line } = parse(text, SECTORS)
    const broken = faultTarget({
      lower: memoryDevice({ bytes: filled(2) }),
      faults: [{ kind: "error", operations: ["write"] }],
    })
    const events: string[] = []
    const device = await word.open(line, {
      size: SECTORS * 512,
      device: (operand) => (operand === "a" ? memoryDevice({ bytes: filled(1) }) : broken.device),
      readOnly: false,
      runtime: hostRuntime,
      onEvent: ({ kind }) => void events.push(kind),
    })
    expect(events).toEqual(["degraded", "degraded"])
    expect(device.layer.status()).toMatchObject({ leg0: "live", leg1: "stale" })
    await device.write(0, filled(3))
  })
})

test("lines that do not fit the blocks below", async () => {
  await expect(open("linear a 4", 8, 4096)).rejects.toMatchObject({ code: "INVALID" })
  await expect(open("linear a 0", 4, 4096)).rejects.toMatchObject({ code: "INVALID" })
  await expect(open("striped 2 8 a 4 b 0", 16, 4096)).rejects.toMatchObject({ code: "INVALID" })
  await expect(open("striped 2 4 a 0 b 0", 16, 4096)).rejects.toMatchObject({ code: "UNSUPPORTED" })
  await expect(open("mirror core 1 8 2 a 4 b 0", 16, 4096)).rejects.toMatchObject({ code: "INVALID" })
  await expect(open("mirror core 1 4 2 a 0 b 0", 16, 4096)).rejects.toMatchObject({ code: "UNSUPPORTED" })
})

test("any line is read and printed, or refused with a code", () => {
  const args = fc.array(fc.oneof(fc.constantFrom("a", "0", "1", "2", "+3", "8", ""), fc.string()), { maxLength: 8 })
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(WORDS)), args, fc.nat(64), (word, texts, sectors) => {
      try {
        const line = word.parse(texts, sectors * 512)
        const printed = word.print(line, { showKeys: true })
        expect(word.parse(printed, sectors * 512)).toEqual(line)
      } catch (error) {
        expect(error).toMatchObject({ name: "BlockError", code: expect.stringMatching(/^(INVALID|UNSUPPORTED)$/) })
      }
    }),
  )
})
