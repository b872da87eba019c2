import { BlockError, inspectImage, memoryDevice, openVolume } from "blockstrata"
import fc from "fast-check"
import { describe, expect, inject, it } from "vitest"
import { runCount } from "./run-count.ts"
import { listVectors, loadVector } from "./vector.ts"
import { imagesOf, tableOfVector } from "./vector-stack.ts"

/** Metadata of these formats stands in the images; a dm-crypt image has none. */
const names = listVectors().filter((name) => /^(integrity|verity)-/.test(name) && !name.includes("inline"))
const METADATA_BYTES = 4096
/** Milliseconds; the typical time is under 3. */
const OPENING_TIME_MAX = 500
const NUMBERS = [0n, 1n, 4096n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]

const change = fc.record({
  place: fc.oneof({ weight: 3, arbitrary: fc.nat(511) }, fc.nat(METADATA_BYTES - 1)),
  value: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(...NUMBERS)),
  size: fc.constantFrom(1, 2, 4, 8),
})

/** Writes little-endian numbers where fields of their size stand. */
function damage(image: Uint8Array, changes: readonly { place: number; value: bigint; size: number }[]): Uint8Array {
  const copy = image.slice()
  for (const { place, value, size } of changes) {
    let rest = value
    for (let index = 0; index < size; index++, rest /= 256n) copy[place - (place % size) + index] = Number(rest % 256n)
  }
  return copy
}

/** Ends well or in a `BlockError`, in time. */
async function expectTyped(action: () => Promise<unknown>): Promise<void> {
  const started = performance.now()
  try {
    await action()
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
  }
  expect(performance.now() - started).toBeLessThan(OPENING_TIME_MAX)
}

describe("hostile metadata ends in typed errors, quickly", () => {
  it.each(names)("%s", async (name) => {
    const vector = loadVector(name)
    const table = tableOfVector(vector)
    const images = imagesOf(vector)
    for (const [hostile, image] of images) {
      if (image.length > 16 * 1024 * 1024) continue
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
          const damaged = damage(image, changes)
          const open = async (path: string) =>
            memoryDevice({ bytes: path === hostile ? damaged : (images.get(path) ?? image), readOnly: true })
          await expectTyped(() => inspectImage(hostile, open))
          for (const mode of ["J", "B", "D", "R"] as const) {
            await expectTyped(() =>
              readSome(openVolume({ image: hostile, integrity: { mode }, readOnly: true, openFile: open })),
            )
          }
          await expectTyped(() => readSome(openVolume({ table, readOnly: true, openFile: open })))
        }),
        { numRuns: runCount(15), seed: inject("seed") },
      )
    }
  })
})

async function readSome(opening: ReturnType<typeof openVolume>): Promise<void> {
  const { device } = await opening
  try {
    await device.read(0, new Uint8Array(Math.min(device.size, 65536)))
  } finally {
    await device.close()
  }
}
