import { type BlockDevice, BlockError, type DeviceImplementation } from "@blockstrata/device"

/** Where a defect stands. */
export interface Site {
  readonly right: DeviceImplementation
  /** The bytes of a block, past every check. */
  readonly raw: (offset: number, buffer: Uint8Array) => Promise<void>
  readonly isNew: boolean
}

/** What a defect makes of a right target. */
export type Defect = (site: Site) => Partial<DeviceImplementation>

const FOUR_GIB = 2 ** 32
const PAGE_SIZE = 4096

function blocksOf(offset: number, length: number, blockSize: number): number[] {
  return Array.from({ length: length / blockSize }, (_, index) => offset + index * blockSize)
}

/** Reads without looking at tags, where `applies`. */
function unchecked({ right, raw }: Site, applies: (block: number) => boolean): Partial<DeviceImplementation> {
  return {
    async read(offset, buffer, tags) {
      try {
        await right.read(offset, buffer, tags)
      } catch (error) {
        if (!(error instanceof BlockError) || error.code !== "INTEGRITY") throw error
        for (const block of blocksOf(offset, buffer.length, right.blockSize)) {
          const part = buffer.subarray(block - offset, block - offset + right.blockSize)
          await (applies(block) ? raw(block, part) : right.read(block, part, undefined))
        }
      }
    },
  }
}

export const DEFECTS: Readonly<Record<string, Defect>> = {
  "tail block dropped": ({ right }) => ({
    async write(offset, data, options) {
      const isTail = offset + data.length === right.size
      await right.write?.(offset, isTail ? data.subarray(0, data.length - right.blockSize) : data, options)
    },
  }),
  "flush not passed down": () => ({ flush: async () => {} }),
  "flush reported early": ({ right }) => ({
    async flush() {
      void right.flush?.().catch(() => {})
    },
  }),
  "tag unchecked on the last block": (site) =>
    unchecked(site, (block) => block === site.right.size - site.right.blockSize),
  "tag unchecked after reopen": (site) => unchecked(site, () => !site.isNew),
  "stale cache after discard": ({ right }) => {
    const cache = new Map<number, Uint8Array>()
    const drop = (offset: number, length: number) => {
      for (const block of blocksOf(offset, length, right.blockSize)) cache.delete(block)
    }
    return {
      async read(offset, buffer) {
        await right.read(offset, buffer, undefined)
        for (const block of blocksOf(offset, buffer.length, right.blockSize)) {
          const part = buffer.subarray(block - offset, block - offset + right.blockSize)
          const known = cache.get(block)
          if (known) part.set(known)
          else cache.set(block, new Uint8Array(part))
        }
      },
      async write(offset, data, options) {
        drop(offset, data.length)
        await right.write?.(offset, data, options)
        drop(offset, data.length)
      },
      async writeZeroes(offset, length, options) {
        drop(offset, length)
        await right.writeZeroes?.(offset, length, options)
        drop(offset, length)
      },
      ordered: true,
    }
  },
  "a read through a hole": ({ right }) => ({
    async read(offset, buffer) {
      for (const range of (await right.blockStatus?.(offset, buffer.length)) ?? []) {
        const part = buffer.subarray(range.offset - offset, range.offset - offset + range.length)
        if (range.kind === "allocated") await right.read(range.offset, part, undefined)
      }
    },
  }),
  "torn read-modify-write under concurrency": ({ right }) => ({
    ordered: false,
    async write(offset, data, options) {
      const start = offset - (offset % PAGE_SIZE)
      const end = Math.min(right.size, Math.ceil((offset + data.length) / PAGE_SIZE) * PAGE_SIZE)
      const page = new Uint8Array(end - start)
      await right.read(start, page, undefined)
      page.set(data, offset - start)
      await right.write?.(start, page, options)
    },
  }),
  "two blocks swapped": ({ right }) => {
    const [one, other] = [2 * right.blockSize, 5 * right.blockSize]
    const place = (block: number) => (block === one ? other : block === other ? one : block)
    return {
      async read(offset, buffer) {
        for (const block of blocksOf(offset, buffer.length, right.blockSize)) {
          await right.read(place(block), buffer.subarray(block - offset, block - offset + right.blockSize), undefined)
        }
      },
    }
  },
  "off-by-one above 2^32 bytes": ({ right }) => ({
    read: (offset, buffer) => right.read(offset > FOUR_GIB ? offset - right.blockSize : offset, buffer, undefined),
  }),
  "a buffer kept after settling": ({ right }) => {
    const kept = new Map<number, Uint8Array>()
    return {
      async write(offset, data) {
        for (const block of blocksOf(offset, data.length, right.blockSize)) {
          kept.set(block, data.subarray(block - offset, block - offset + right.blockSize))
        }
      },
      async read(offset, buffer) {
        await right.read(offset, buffer, undefined)
        for (const block of blocksOf(offset, buffer.length, right.blockSize)) {
          const view = kept.get(block)
          if (view) buffer.set(view, block - offset)
        }
      },
      async flush() {
        for (const [block, view] of kept) await right.write?.(block, view, { tags: undefined, fua: false })
        kept.clear()
        await right.flush?.()
      },
    }
  },
  "a part that lands after rejection": ({ right }) => ({
    ordered: false,
    async write(offset, data, options) {
      // One request for each block, and nobody waits for the others when one fails.
      const parts = blocksOf(offset, data.length, right.blockSize).map(async (block) => {
        await right.write?.(block, data.subarray(block - offset, block - offset + right.blockSize), options)
      })
      await Promise.all(parts)
    },
  }),
}

/** Reads of the device below, of what stands under a block of the target. */
export function rawReader(right: DeviceImplementation, bottom: BlockDevice): Site["raw"] {
  return async (offset, buffer) => {
    const [extent] = right.extents?.(offset, buffer.length) ?? []
    await bottom.read(extent?.offset ?? offset, buffer)
  }
}
