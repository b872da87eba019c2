import { readFileSync } from "node:fs"
import { BlockError, memoryDevice, openVolume } from "blockstrata"
import { describe, expect, it } from "vitest"
import { loadSharedVectors, sha256, type Vector } from "../vector.ts"
import { bitmapWords, openVectorStack, readAll } from "../vector-stack.ts"
import { bitmapVectors, coveredVectors, dirtyJournalVectors } from "./covered-vectors.ts"

interface RefusedTable {
  readonly name: string
  /** What the message names. */
  readonly word: string
  /** The table of a volume that Linux wrote and this library does not open. */
  readonly table: string
}

const refusedTables = JSON.parse(
  readFileSync(new URL("refused-tables.json", import.meta.url), "utf8"),
) as readonly RefusedTable[]
/** Lines that are read but not opened, and what the table alone does not tell: the state of the volume. */
const isRefusedAtOpening = ({ name }: RefusedTable) => /^integrity-(dirty|inline|recalc|separate)/.test(name)
const wordOf = new Map(refusedTables.map(({ name, word }) => [name, word]))
const named = (vectors: readonly Vector[]) => vectors.map((vector) => [vector.name, vector] as const)

async function expectRefusal(opening: Promise<unknown>, word: string): Promise<void> {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(BlockError)
  expect(["UNSUPPORTED", "INVALID"]).toContain((error as BlockError).code)
  expect((error as BlockError).message).toContain(word)
}

describe("a table that Linux takes and this library does not", () => {
  it.each(refusedTables.filter((refused) => !isRefusedAtOpening(refused)))(
    "$name is refused, naming $word",
    async ({ table, word }) => {
      const openFile = () => Promise.reject(new TypeError("nothing may be opened"))
      await expectRefusal(openVolume({ table, readOnly: true, openFile }), word)
      await expect(openVolume({ table, openFile })).rejects.toMatchObject({ code: "UNSUPPORTED" })
    },
  )
})

// Every other vector, where the full set is at hand: refused by name, or read right because its lines are covered.
const known = [...coveredVectors, ...bitmapVectors, ...dirtyJournalVectors]
const others = loadSharedVectors().filter(({ name }) => !known.includes(name))

describe.runIf(others.length > 0)("every other vector of the full set", () => {
  const withHeader = others.filter(({ manifest }) => manifest.kind === "luks")
  it.each(named(withHeader))("%s: its header is refused by name", async (_name, vector) => {
    const image = Object.keys(vector.manifest.images).find((each) => each.startsWith("header")) ?? "disk.img"
    const openFile = async () => memoryDevice({ bytes: vector.image(image), readOnly: true })
    await expectRefusal(openVolume({ image, openFile, readOnly: true }), "luks")
  })

  const withLines = others.filter(({ stack }) => stack.length > 0)
  it.each(named(withLines))("%s: its lines are refused by name, or read right", async (name, vector) => {
    const word = wordOf.get(name)
    if (word !== undefined) return await expectRefusal(openVectorStack(vector), word)
    const { device } = await openVectorStack(vector, { words: bitmapWords })
    const { sha256: expected, sha256_after_recovery: recovered } = vector.manifest.expect
    expect(sha256(await readAll(device))).toBe(expected ?? recovered)
    await device.close()
  })
})
