import type { ByteRange } from "@blockstrata/device"
import { SECTOR_SIZE } from "../table-number.ts"
import type { FaultRandom } from "./fault-random.ts"

/** Which sectors of a write land: at least one, and not all. */
export function landingSectors(sectorCount: number, random: FaultRandom): boolean[] {
  const cut = 1 + random.below(sectorCount - 1)
  const shape = ["head", "tail", "scattered"][random.below(3)]
  const lands = Array.from({ length: sectorCount }, (_, index) => {
    if (shape === "scattered") return random.chance(0.5)
    return shape === "head" ? index < cut : index >= cut
  })
  // A scattering may have missed everything, or nothing.
  if (lands.every((landed) => landed === lands[0])) lands[cut] = !lands[cut]
  return lands
}

/** The sectors that land of `data`, over what was there in `old`. */
export function mixSectors(old: Uint8Array, data: Uint8Array, lands: readonly boolean[]): Uint8Array {
  const mixed = new Uint8Array(old)
  for (const [index, landed] of lands.entries()) {
    const start = index * SECTOR_SIZE
    if (landed) mixed.set(data.subarray(start, start + SECTOR_SIZE), start)
  }
  return mixed
}

/** Runs of blocks in which at least one sector lands, in bytes from the start of the write. */
export function landingRuns(lands: readonly boolean[], blockSize: number): ByteRange[] {
  const runs: { offset: number; length: number }[] = []
  const sectorsPerBlock = blockSize / SECTOR_SIZE
  for (let first = 0; first < lands.length; first += sectorsPerBlock) {
    if (!lands.slice(first, first + sectorsPerBlock).includes(true)) continue
    const offset = first * SECTOR_SIZE
    const last = runs.at(-1)
    if (last && last.offset + last.length === offset) last.length += blockSize
    else runs.push({ offset, length: blockSize })
  }
  return runs
}
