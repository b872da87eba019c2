import { type BlockDevice, BlockError, type DeviceImplementation, RangeLock, settleAll } from "@blockstrata/device"

/** A right target, as an implementation into which a defect may be put. */
export type MakeTarget = (lower: BlockDevice) => DeviceImplementation

const BLOCK_SIZE = 512
const START = 8 * BLOCK_SIZE

/** A range of the lower device. */
export const linear: MakeTarget = (lower) => ({
  name: "linear",
  size: lower.size - 2 * START,
  blockSize: lower.blockSize,
  features: lower.features,
  lowers: [{ role: "data", device: lower }],
  extents: (offset, length) => [{ role: "data", offset: START + offset, length }],
  read: (offset, buffer) => lower.read(START + offset, buffer),
  write: (offset, data, { fua }) => lower.write(START + offset, data, { fua }),
  flush: () => lower.flush(),
  discard: (offset, length) => lower.discard(START + offset, length),
  writeZeroes: (offset, length, options) => lower.writeZeroes(START + offset, length, options),
  blockStatus: async (offset, length) =>
    (await lower.blockStatus(START + offset, length)).map((range) => ({ ...range, offset: range.offset - START })),
})

const TAG_SIZE = 4
const TAGS_PER_BLOCK = BLOCK_SIZE / TAG_SIZE

/** A tag per block, in an area behind the data. What was never written has the tag of zeroes, which is zero. */
export const tagStore: MakeTarget = (lower) => {
  const blockCount = Math.floor(lower.size / BLOCK_SIZE / (1 + 1 / TAGS_PER_BLOCK)) - 1
  const size = blockCount * BLOCK_SIZE
  const lock = new RangeLock()
  const tagRange = (offset: number, length: number) => {
    const first = Math.floor(offset / BLOCK_SIZE / TAGS_PER_BLOCK)
    const end = Math.ceil((offset + length) / BLOCK_SIZE / TAGS_PER_BLOCK)
    return { offset: size + first * BLOCK_SIZE, length: (end - first) * BLOCK_SIZE }
  }
  const tagPlace = (offset: number) => ((offset / BLOCK_SIZE) % TAGS_PER_BLOCK) * TAG_SIZE

  async function setTags(offset: number, length: number, tagOf: (at: number) => number): Promise<void> {
    const range = tagRange(offset, length)
    const bytes = new Uint8Array(range.length)
    await lower.read(range.offset, bytes)
    const view = new DataView(bytes.buffer)
    const first = tagPlace(offset)
    for (let at = 0; at < length; at += BLOCK_SIZE) view.setUint32(first + (at / BLOCK_SIZE) * TAG_SIZE, tagOf(at))
    await lower.write(range.offset, bytes)
  }

  const change = async (offset: number, length: number, tagOf: (at: number) => number, data: () => Promise<void>) =>
    await lock.hold([tagRange(offset, length)], "exclusive", async () => {
      await settleAll([data(), setTags(offset, length, tagOf)])
    })

  return {
    name: "tag-store",
    size,
    blockSize: BLOCK_SIZE,
    ordered: true,
    features: { write: true, writeZeroes: true, discard: true, atomicSize: 0 },
    lowers: [{ role: "data", device: lower }],
    extents: (offset, length) => [
      { role: "data", offset, length },
      {
        role: "data",
        offset: tagRange(offset, length).offset + tagPlace(offset),
        length: (length / BLOCK_SIZE) * TAG_SIZE,
        kind: "tag",
      },
    ],
    async read(offset, buffer) {
      const range = tagRange(offset, buffer.length)
      const bytes = new Uint8Array(range.length)
      await settleAll([lower.read(offset, buffer), lower.read(range.offset, bytes)])
      const view = new DataView(bytes.buffer)
      for (let at = 0; at < buffer.length; at += BLOCK_SIZE) {
        const stored = view.getUint32(tagPlace(offset) + (at / BLOCK_SIZE) * TAG_SIZE)
        if (stored === checksum(buffer.subarray(at, at + BLOCK_SIZE))) continue
        throw new BlockError("INTEGRITY", `tag-store: wrong tag at offset ${offset + at}`, {
          offset: offset + at,
          length: BLOCK_SIZE,
        })
      }
    },
    write: (offset, data) =>
      change(
        offset,
        data.length,
        (at) => checksum(data.subarray(at, at + BLOCK_SIZE)),
        () => lower.write(offset, data),
      ),
    writeZeroes: (offset, length, { mayDiscard }) =>
      change(
        offset,
        length,
        () => 0,
        () => lower.writeZeroes(offset, length, { mayDiscard }),
      ),
    discard: (offset, length) =>
      change(
        offset,
        length,
        () => 0,
        () => lower.writeZeroes(offset, length, { mayDiscard: true }),
      ),
    flush: () => lower.flush(),
    blockStatus: (offset, length) => lower.blockStatus(offset, length),
  }
}

/** Zero for zeroes, and another number when one bit changes. */
function checksum(block: Uint8Array): number {
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  let sum = 0
  for (let at = 0; at < block.length; at += 4) sum = (Math.imul(sum, 31) + view.getUint32(at)) >>> 0
  return sum
}

/** Keeps every block that it has seen. Writes go through. */
export const cache: MakeTarget = (lower) => {
  const known = new Map<number, Uint8Array>()
  const blocks = (offset: number, length: number) =>
    Array.from({ length: length / BLOCK_SIZE }, (_, index) => offset + index * BLOCK_SIZE)
  const part = (bytes: Uint8Array, offset: number, block: number) =>
    bytes.subarray(block - offset, block - offset + BLOCK_SIZE)
  const keep = (offset: number, bytes: Uint8Array) => {
    for (const block of blocks(offset, bytes.length)) known.set(block, new Uint8Array(part(bytes, offset, block)))
  }
  /** What is not there cannot be stale: on failure the block is read again. */
  const change = async (offset: number, length: number, action: () => Promise<void>) => {
    for (const block of blocks(offset, length)) known.delete(block)
    await action()
  }
  return {
    name: "cache",
    size: lower.size,
    blockSize: BLOCK_SIZE,
    ordered: true,
    features: lower.features,
    lowers: [{ role: "data", device: lower }],
    extents: (offset, length) => [{ role: "data", offset, length }],
    async read(offset, buffer) {
      const missing = blocks(offset, buffer.length).filter((block) => !known.has(block))
      if (missing.length > 0) {
        await lower.read(offset, buffer)
        for (const block of missing) keep(block, part(buffer, offset, block))
      }
      for (const block of blocks(offset, buffer.length)) buffer.set(known.get(block) ?? [], block - offset)
    },
    write: (offset, data, { fua }) =>
      change(offset, data.length, async () => {
        await lower.write(offset, data, { fua })
        keep(offset, data)
      }),
    flush: () => lower.flush(),
    discard: (offset, length) => change(offset, length, () => lower.discard(offset, length)),
    writeZeroes: (offset, length, options) => change(offset, length, () => lower.writeZeroes(offset, length, options)),
    blockStatus: (offset, length) => lower.blockStatus(offset, length),
  }
}
