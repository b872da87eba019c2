import {
  type BlockDevice,
  BlockError,
  defineDevice,
  memoryDevice,
  type TableContext,
  type TableWord,
} from "@blockstrata/device"
import { errorWord, linearWord, stripedWord, zeroWord } from "@blockstrata/targets"
import { describe, expect, test } from "vitest"
import { type OpenTableOptions, openTable } from "./open-table.ts"
import type { FileOperand } from "./operand.ts"
import { parseTable } from "./parse-table.ts"
import type { MapperContext } from "./table-context.ts"

/** Takes its operands, closes none, and fails. */
const failWord: TableWord<readonly string[]> = {
  word: "fail",
  parse: (args) => args,
  print: (args) => [...args],
  operands: (args) => args,
  async open(args, context) {
    for (const operand of args) context.device(operand)
    throw new BlockError("WRONG_KEY", "fail: as it must")
  },
}

/** Answers with what it was given. */
function spyWord(seen: MapperContext[]): TableWord<readonly string[], MapperContext> {
  return {
    ...failWord,
    word: "spy",
    async open(args, context) {
      seen.push(context)
      const [lower] = args.map((operand) => context.device(operand))
      return lower ?? memoryDevice({ size: context.size })
    },
  }
}

/** Writes to its operand while it opens. */
const scribbleWord: TableWord<readonly string[]> = {
  ...failWord,
  word: "scribble",
  async open(args, context) {
    const [lower] = args.map((operand) => context.device(operand))
    await lower?.write(0, written)
    return lower ?? memoryDevice({ size: context.size })
  },
}

const seen: MapperContext[] = []
const WORDS = [linearWord, stripedWord, zeroWord, errorWord, failWord, scribbleWord, spyWord(seen)]

/** Files of 1 MiB that count how often they are opened and closed. */
function files(content: Readonly<Record<string, BlockDevice>> = {}) {
  const opened: { path: string; readOnly: boolean }[] = []
  const closed: string[] = []
  const openOperand = async (operand: FileOperand, { readOnly }: { readOnly: boolean }): Promise<BlockDevice> => {
    if (operand.path === "missing") throw new BlockError("IO", "no such file")
    opened.push({ path: operand.path, readOnly })
    const { blockSize, tagSize } = operand
    const lower = content[operand.path] ?? memoryDevice({ size: 1024 * 1024, blockSize, tagSize, readOnly })
    return defineDevice({
      ...lower,
      name: "file",
      lowers: [{ role: "data", device: lower }],
      extents: (offset, length) => [{ role: "data", offset, length }],
      read: (offset, buffer, tags) => lower.read(offset, buffer, tags),
      write: (offset, data, options) => lower.write(offset, data, options),
      flush: () => lower.flush(),
      discard: (offset, length) => lower.discard(offset, length),
      writeZeroes: (offset, length, options) => lower.writeZeroes(offset, length, options),
      async close() {
        closed.push(operand.path)
      },
    })
  }
  const open = async (text: string, options: Partial<OpenTableOptions> = {}) =>
    (await openTable(parseTable(text, WORDS), { openOperand, ...options })).device
  return { opened, closed, open }
}

const written = Uint8Array.from({ length: 512 }, (_, index) => index % 251)

async function readBlock(device: BlockDevice, offset: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(512)
  await device.read(offset, buffer)
  return buffer
}

describe("what is built", () => {
  test("one line is one device, as the word built it", async () => {
    const { open } = files()
    const volume = await open("0 8 linear a 16")
    expect(volume).toMatchObject({
      size: 4096,
      layer: { name: "linear", lowers: [{ device: { layer: { name: "file" } } }] },
    })
    await volume.close()
  })

  test("several lines are ranges of one device, over one opening of the file", async () => {
    const { open, opened, closed } = files()
    const volume = await open("0 8 linear a 8\n8 8 zero\n16 8 linear a 0")
    expect(opened).toEqual([{ path: "a", readOnly: false }])
    await volume.write(16 * 512, written)
    await volume.write(0, written)
    expect(await readBlock(volume, 16 * 512)).toEqual(written)
    expect(closed).toEqual([])
    await volume.close()
    expect(closed).toEqual(["a"])
  })

  test("a later device stands on an earlier one, by either name; the last is the volume", async () => {
    const a = memoryDevice({ size: 1024 * 1024 })
    const { open, opened, closed } = files({ a })
    const volume = await open(
      "low,,,,0 64 linear a 8;mid,,,,0 32 linear /dev/mapper/low 8;top,,,,0 8 linear mid 8,8 8 linear low 0",
    )
    await volume.write(0, written)
    expect(await readBlock(a, 24 * 512)).toEqual(written)
    await volume.write(8 * 512, written)
    expect(await readBlock(a, 8 * 512)).toEqual(written)
    await volume.close()
    expect({ opened: opened.length, closed }).toEqual({ opened: 1, closed: ["a"] })
  })

  test("each mem: operand is memory of its own, and a word takes them in the order of the line", async () => {
    const { open } = files()
    const volume = await open("0 16 striped 2 8 mem:4k 0 mem:4k 0")
    await volume.write(0, written)
    expect(await readBlock(volume, 8 * 512)).toEqual(new Uint8Array(512))
    expect(await readBlock(volume, 0)).toEqual(written)
    await volume.close()
  })

  test("file options reach the opening", async () => {
    const { open } = files()
    const volume = await open("0 8 linear a,blocksize=4096,tagsize=7 8")
    expect(volume).toMatchObject({ blockSize: 4096, tagSize: 7 })
    await volume.close()
  })

  test("memory keeps tags as well", async () => {
    const { open } = files()
    const volume = await open("0 8 linear mem:8k,blocksize=4096,tagsize=7 8")
    expect(volume).toMatchObject({ size: 4096, blockSize: 4096, tagSize: 7 })
    const tags = Uint8Array.of(1, 2, 3, 4, 5, 6, 7)
    await volume.write(0, new Uint8Array(4096).fill(9), { tags })
    const [data, kept] = [new Uint8Array(4096), new Uint8Array(7)]
    await volume.read(0, data, kept)
    expect([data[0], ...kept]).toEqual([9, ...tags])
    await volume.close()
  })

  test("words get their context", async () => {
    const { open } = files()
    const onEvent = () => {}
    const keys = (description: string) => (description === "k" ? written : undefined)
    await (await open("0 8 spy mem:4k", { onEvent, keys, readOnly: true })).close()
    const context = seen.at(-1)
    expect(context).toMatchObject({ size: 4096, readOnly: true, onEvent })
    expect(context?.resolveKey?.("k")).toBe(written)
    expect(context?.runtime).toBeDefined()
  })
})

describe("read-only", () => {
  test("nothing is opened for writing", async () => {
    const { open, opened } = files()
    const volume = await open("0 8 linear a 0\n8 8 zero\n16 8 linear mem:4k 0", { readOnly: true })
    expect(opened).toEqual([{ path: "a", readOnly: true }])
    expect(volume.features.write).toBe(false)
    await expect(volume.write(0, written)).rejects.toMatchObject({ code: "READ_ONLY" })
    await volume.close()
  })

  test("a device that says ro cannot write, even where another device writes to the same file", async () => {
    const { open, opened } = files()
    const volume = await open("r,,,ro,0 8 linear a 0;w,,,rw,0 8 linear a 0,8 8 linear r 0")
    expect(opened).toEqual([{ path: "a", readOnly: false }])
    expect(volume.features.write).toBe(false)
    await volume.close()
    const both = await open("r,,,ro,0 8 linear a 0;w,,,rw,0 8 linear a 0")
    expect(both.features.write).toBe(true)
    await both.close()
  })

  test("a word that forgets about it cannot write either", async () => {
    const { open } = files()
    expect((await open("a,,,ro,0 8 spy")).features.write).toBe(false)
    expect((await open("a,,,ro,0 2048 spy f;b,,,,0 8 linear f 0,8 2048 linear a 0")).features.write).toBe(false)
  })

  test("a word that writes while it opens is stopped below, though another device may write there", async () => {
    const bytes = new Uint8Array(1024 * 1024)
    const scribbled = files({ f: memoryDevice({ bytes }) }).open(
      "a,,,ro,0 2048 scribble f;b,,,rw,0 8 linear f 0,8 2048 linear a 0",
    )
    await expect(scribbled).rejects.toMatchObject({ code: "READ_ONLY" })
    expect(bytes.every((byte) => byte === 0)).toBe(true)
  })
})

describe("nothing stays open", () => {
  test.each([
    ["a file is missing", "0 8 linear a 0\n8 8 striped 2 4 b 0 missing 0", ["a", "b"], "IO"],
    ["a word fails", "0 8 linear a 0\n8 8 linear a 8\n16 8 fail b c", ["a", "b", "c"], "WRONG_KEY"],
    ["a word fails that took a file twice", "0 8 fail a a", ["a"], "WRONG_KEY"],
    ["a line goes beyond its file", "0 8 linear a 0\n8 9999 linear b 0", ["a", "b"], "INVALID"],
    ["ranges do not fit", "0 8 linear a,blocksize=4096 0\n8 4 linear b 0", ["a", "b"], "INVALID"],
    ["tags differ", "0 8 linear a,tagsize=4 0\n8 8 linear b 0", ["a", "b"], "INVALID"],
    ["a later device fails", "x,,,,0 8 linear a 0;y,,,,0 8 linear x 0,8 8 fail b x", ["a", "b"], "WRONG_KEY"],
    ["a device is shorter than its line", "0 8 linear a 0\n8 9999 spy b", ["a", "b"], "INVALID"],
    ["a file has two block sizes", "0 8 linear a 0\n8 8 linear a,blocksize=4096 0", [], "INVALID"],
    ["an operand is a URI", "0 8 linear a 0\n8 8 linear nbd://host 0", [], "UNSUPPORTED"],
  ])("where %s", async (_, text, paths, code) => {
    const { open, opened, closed } = files()
    await expect(open(text)).rejects.toMatchObject({ name: "BlockError", code })
    expect(opened.map(({ path }) => path).sort()).toEqual(paths)
    expect(closed.toSorted()).toEqual(paths)
  })

  test("of a device that nothing stands on, but the volume", async () => {
    const { open, opened, closed } = files()
    const volume = await open("x,,,,0 8 linear a 0;y,,,,0 8 linear b 0;z,,,,0 8 linear c 0")
    expect(opened.map(({ path }) => path)).toEqual(["a", "b", "c"])
    expect(closed.toSorted()).toEqual(["a", "b"])
    await volume.close()
    expect(closed.toSorted()).toEqual(["a", "b", "c"])
  })

  test("of an operand that a word did not take", async () => {
    const closed: string[] = []
    const idleWord: TableWord = { ...zeroWord, parse: (args) => args, operands: (line) => line as string[] }
    const table = parseTable("0 8 zero a b", [idleWord])
    const { device: volume } = await openTable(table, {
      openOperand: async ({ path }) =>
        defineDevice({
          name: "idle",
          size: 4096,
          blockSize: 512,
          async read() {},
          close: async () => void closed.push(path),
        }),
    })
    expect(closed.toSorted()).toEqual(["a", "b"])
    await volume.close()
  })

  test("the first reason is thrown, whatever closing does", async () => {
    const stuck = defineDevice({
      name: "stuck",
      size: 4096,
      blockSize: 512,
      async read() {},
      async close() {
        throw new BlockError("IO", "cannot close")
      },
    })
    const table = parseTable("0 8 fail a", WORDS)
    await expect(openTable(table, { openOperand: async () => stuck })).rejects.toMatchObject({ code: "WRONG_KEY" })
  })
})

test("a URI is refused by the name of its scheme", async () => {
  const { open } = files()
  for (const uri of ["nbd://h/x", "nbd+unix:///?socket=s", "http://h/x", "https://h/x", "s3://b/k"]) {
    const scheme = uri.split(":")[0] ?? ""
    const opening = open(`0 8 linear ${uri} 0`)
    await expect(opening).rejects.toMatchObject({ code: "UNSUPPORTED", message: expect.stringContaining(scheme) })
  }
})

test("a word that takes an operand more often than its line has it is a bug", async () => {
  const greedy: TableWord<readonly string[]> = {
    ...failWord,
    async open([operand = ""], context: TableContext) {
      context.device(operand)
      return context.device(operand)
    },
  }
  const table = parseTable("0 8 fail mem:4k", [greedy])
  await expect(openTable(table, { openOperand: async () => memoryDevice({ size: 4096 }) })).rejects.toBeInstanceOf(
    TypeError,
  )
})
