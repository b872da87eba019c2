import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { BlockError } from "blockstrata"
import { afterAll, describe, expect, it } from "vitest"
import { loadVector, sha256, type Vector } from "../vector.ts"
import { bitmapWords, imagesOf, openVectorStack, readAll } from "../vector-stack.ts"
import { bitmapVectors, coveredVectors, dirtyJournalVectors } from "./covered-vectors.ts"

const engines = [nodeEngine, portableEngine]
const readNames = new Set<string>()

/** How each of some blocks reads, in the words of a manifest. */
async function readBlocks(vector: Vector, images: ReadonlyMap<string, Uint8Array>): Promise<string[]> {
  const { reads = [], unit: givenUnit, block: unit = givenUnit ?? 512 } = vector.manifest.expect.corruption ?? {}
  const { device } = await openVectorStack(vector, { images, words: bitmapWords })
  const outcomes: string[] = []
  for (const read of reads) {
    const index = Number(read.split(" ")[0])
    const outcome = await device.read(index * unit, new Uint8Array(unit)).then(
      () => "ok",
      (error: unknown) => (error instanceof BlockError && error.code === "INTEGRITY" ? "EIO" : String(error)),
    )
    outcomes.push(`${index} ${outcome}`)
  }
  await device.close()
  return outcomes
}

describe.each(engines)("volumes that the kernel wrote, on the $name engine", (engine) => {
  it.each([...coveredVectors, ...bitmapVectors])("%s reads as in the kernel, to the last byte", async (name) => {
    const vector = loadVector(name)
    const images = imagesOf(vector)
    const { device } = await openVectorStack(vector, { engine, images, words: bitmapWords })
    const { sha256: expected, provided_bytes: providedBytes } = vector.manifest.expect
    expect(device.size).toBe(providedBytes ?? Number(vector.manifest.outputs["size"] ?? device.size))
    expect(sha256(await readAll(device))).toBe(expected)
    await device.close()
    // A read-only opening writes to no medium.
    for (const [image, bytes] of images) expect(sha256(bytes)).toBe(vector.manifest.images[image]?.sha256)
    readNames.add(name)
  })
})

describe.each(engines)("volumes that the kernel left with a full journal, on the $name engine", (engine) => {
  it.each(dirtyJournalVectors)("%s reads as after the kernel's recovery, and nothing is written", async (name) => {
    const vector = loadVector(name)
    const images = imagesOf(vector)
    const { device } = await openVectorStack(vector, { engine, images })
    expect(sha256(await readAll(device))).toBe(vector.manifest.expect.sha256_after_recovery)
    await device.close()
    for (const [image, bytes] of images) expect(sha256(bytes)).toBe(vector.manifest.images[image]?.sha256)
  })
})

describe("damage", () => {
  const damaged = [...coveredVectors, ...bitmapVectors]
    .map(loadVector)
    .filter(({ manifest }) => manifest.expect.corruption !== undefined)

  it.each(damaged.map((vector) => [vector.name, vector] as const))(
    "%s: the same blocks fail as in the kernel",
    async (_name, vector) => {
      const {
        image = "",
        flip_byte: flipByte,
        flip_bytes: flipBytes = [],
        reads = [],
      } = vector.manifest.expect.corruption ?? {}
      const images = imagesOf(vector)
      const bytes = images.get(image) ?? new Uint8Array(0)
      for (const at of [...flipBytes, ...(flipByte === undefined ? [] : [flipByte])])
        bytes[at] = (bytes[at] ?? 0) ^ 0xff
      expect(await readBlocks(vector, images)).toEqual(reads)
    },
  )

  it("occurs in most of the volumes that can notice it", () => {
    expect(damaged.length).toBeGreaterThanOrEqual(15)
  })
})

afterAll(() => {
  expect(coveredVectors.length).toBe(65)
  expect(readNames.size, "volumes that the kernel wrote and that were read whole").toBeGreaterThanOrEqual(33)
})
