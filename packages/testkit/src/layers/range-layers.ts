import { BlockError, share } from "@blockstrata/device"
import { linearTarget, mirrorTarget, stripedTarget } from "@blockstrata/targets"
import fc from "fast-check"
import type { LayerKind } from "../stack/stack-plan.ts"

const PAGE_SIZE = 4096

interface LinearOptions {
  /** Units of 4096 bytes before and behind the range. */
  readonly before: number
  readonly behind: number
}

/** A range, not always at the start, not always to the end. */
export const linearLayer: LayerKind<LinearOptions> = {
  name: "linear",
  options: fc.record({ before: fc.nat({ max: 3 }), behind: fc.nat({ max: 2 }) }),
  shape: (_options, below) => below,
  lowerSize: ({ before, behind }, size) => size + (before + behind) * PAGE_SIZE,
  open: ({ before }, lower, size) => linearTarget({ lower, start: before * PAGE_SIZE, size }),
}

interface StripedOptions {
  readonly stripeCount: number
  /** Units of 4096 bytes. */
  readonly chunkPages: number
}

/** Stripes on parts of one device, not only powers of two. */
export const stripedLayer: LayerKind<StripedOptions> = {
  name: "striped",
  options: fc.record({ stripeCount: fc.integer({ min: 1, max: 4 }), chunkPages: fc.integer({ min: 1, max: 3 }) }),
  shape: (_options, below) => below,
  size: ({ stripeCount, chunkPages }, size) => {
    const row = stripeCount * chunkPages * PAGE_SIZE
    return Math.ceil(size / row) * row
  },
  lowerSize: (_options, size) => size,
  open({ stripeCount, chunkPages }, lower, size) {
    const width = size / stripeCount
    const lowers = Array.from({ length: stripeCount }, (_, index) => ({
      lower: linearTarget({ lower: share(lower), start: index * width, size: width }),
      start: 0,
    }))
    return stripedTarget({ lowers, chunkSize: chunkPages * PAGE_SIZE, size })
  },
}

interface MirrorOptions {
  readonly legCount: number
}

/** Legs on parts of one device, made equal on every opening: a crash may leave them different. */
export const mirrorLayer: LayerKind<MirrorOptions> = {
  name: "mirror",
  options: fc.record({ legCount: fc.integer({ min: 2, max: 3 }) }),
  // Legs that nobody can write nobody made equal: of what is read-only, no two parts are legs of one mirror.
  shape: (_options, below) => (below.isReadOnly === true ? undefined : below),
  // Opening reads every block.
  isEager: true,
  lowerSize: ({ legCount }, size) => size * legCount,
  async open({ legCount }, lower, size) {
    const legs = Array.from({ length: legCount }, (_, index) => ({ lower: share(lower), start: index * size }))
    const { device, resync } = mirrorTarget({ legs, size })
    if (device.features.write) await resync().catch(allowLostBlocks)
    return device
  },
}

/** A crash may leave blocks that no leg can give, over dm-integrity in mode D say: they stay so, and all others are equal. */
function allowLostBlocks(error: unknown): void {
  if (!(error instanceof BlockError && error.code === "INTEGRITY")) throw error
}
