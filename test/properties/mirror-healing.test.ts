import { type BlockDevice, baseExtents, checkDevice, memoryDevice } from "@blockstrata/device"
import { formatIntegrity, openIntegrity } from "@blockstrata/integrity"
import { mirrorTarget } from "@blockstrata/targets"
import { seededRandom, seededRuntime } from "@blockstrata/testkit"
import { beforeEach, describe, expect, inject, test } from "vitest"
import { runCount } from "../run-count.ts"

const BLOCK = 4096
const SIZE = 256 * BLOCK
const VOLUME = { tagSize: 32, blockSize: BLOCK, internalHash: { name: "sha256" } } as const
const random = seededRandom(inject("seed"), "corruptions")

interface Leg {
  readonly bytes: Uint8Array
  readonly device: BlockDevice
}

/** An integrity volume of which every block was written. */
async function formattedLeg(): Promise<Leg> {
  const bytes = new Uint8Array(2 * SIZE)
  const lower = memoryDevice({ bytes })
  const runtime = seededRuntime(1)
  const area = { interleaveSectors: 128, journalSectors: 64, mode: "D", wipe: true } as const
  await formatIntegrity({ ...VOLUME, ...area, lower, runtime })
  return { bytes, device: await openIntegrity({ ...VOLUME, lower, size: SIZE, mode: "D", runtime }) }
}

/** Changes a byte of the block or of its tag, on the medium. */
function corrupt({ bytes, device }: Leg, block: number): void {
  const extent = random.pick(baseExtents(device, block * BLOCK, BLOCK))
  // Of the sectors that hold a tag, only its own bytes make the block bad; any byte of the data does.
  const at = extent.offset + random.below(extent.length)
  bytes[at] = bytes[at]! ^ (1 + random.below(255))
}

let legs: [Leg, Leg]
let device: BlockDevice
const content = random.bytes(SIZE)

beforeEach(async () => {
  legs = [await formattedLeg(), await formattedLeg()]
  device = mirrorTarget({ legs: legs.map((leg) => ({ lower: leg.device, start: 0 })), size: SIZE }).device
  await device.write(0, content)
  await device.flush()
})

async function readInParts(): Promise<void> {
  for (let offset = 0; offset < SIZE; ) {
    const buffer = new Uint8Array(Math.min(SIZE - offset, (1 + random.below(40)) * BLOCK))
    await device.read(offset, buffer)
    expect(Buffer.compare(buffer, content.subarray(offset, offset + buffer.length))).toBe(0)
    offset += buffer.length
  }
}

describe("a mirror of two integrity volumes", () => {
  test("200 corruptions of data or tags on either leg, never of one block on both: all is mended, the legs are equal", async () => {
    const whole = legs.map(({ bytes }) => bytes.slice(0))
    expect(Buffer.compare(whole[0]!, whole[1]!)).toBe(0)
    let changedCount = 0
    for (let run = 0; run < runCount(2); run++) {
      const blocks = random.shuffle(Array.from({ length: SIZE / BLOCK }, (_, block) => block)).slice(0, 100)
      for (const block of blocks) {
        corrupt(random.pick(legs), block)
        changedCount++
      }
      await readInParts()
      // Reading asks the first leg: the second is looked at only by a resync, or once the first fails.
      const { resync } = mirrorTarget({ legs: legs.map((leg) => ({ lower: leg.device, start: 0 })), size: SIZE })
      await resync()
      expect(legs.map(({ bytes }, index) => Buffer.compare(bytes, whole[index]!))).toEqual([0, 0])
    }
    console.log(`${changedCount} corruptions, all mended; bytes of the first leg:`, device.layer.status())
    expect(Number(device.layer.status()["repairedBytes"])).toBeGreaterThan(0)
    expect(device.layer.status()["lostBytes"]).toBe(0)
  })

  test("one block bad on both: INTEGRITY at its place, and nothing is written", async () => {
    for (let run = 0; run < runCount(20); run++) {
      const block = random.below(SIZE / BLOCK)
      const before = legs.map(({ bytes }) => bytes.slice(0))
      for (const leg of legs) corrupt(leg, block)
      const corrupted = legs.map(({ bytes }) => bytes.slice(0))
      const place = { offset: block * BLOCK, length: BLOCK }
      await expect(device.read(0, new Uint8Array(SIZE))).rejects.toMatchObject({ code: "INTEGRITY", ...place })
      expect(legs.map(({ bytes }, index) => Buffer.compare(bytes, corrupted[index]!))).toEqual([0, 0])
      expect((await checkDevice(device)).bad).toMatchObject([place])
      legs.forEach(({ bytes }, index) => bytes.set(before[index]!))
    }
  })
})
