import { type BlockDevice, BlockError, type DeviceEvent, defineDevice, memoryDevice } from "@blockstrata/device"
import { type Mirror, type MirrorOptions, mirrorTarget } from "@blockstrata/targets"
import { seededRandom } from "@blockstrata/testkit"

export const BLOCK = 512
export const SIZE: number = 64 * BLOCK
export const START: number = 8 * BLOCK

/** A leg whose bad blocks fail to be read until they are written, and which counts what reaches it. */
export interface WornLeg {
  readonly device: BlockDevice
  readonly bytes: Uint8Array
  readonly tagBytes: Uint8Array
  readonly bad: Map<number, "IO" | "INTEGRITY">
  readonly requests: string[]
  failsOn: string | undefined
  /** Awaited before the next write, and then gone. */
  holdsNextWrite: Promise<void> | undefined
}

export function wornLeg(size = SIZE, tagSize = 0): WornLeg {
  const bytes = new Uint8Array(size + START)
  const tagBytes = new Uint8Array((bytes.length / BLOCK) * tagSize)
  const memory = memoryDevice({ bytes, ...(tagSize > 0 && { tagBytes, tagSize }) })
  const bad: WornLeg["bad"] = new Map()
  const requests: string[] = []
  const pass = (kind: string, offset: number, length: number) => {
    requests.push(`${kind} ${(offset - START) / BLOCK}+${length / BLOCK}`)
    if (leg.failsOn === kind) throw new BlockError("IO", `worn: ${kind} fails`, { offset, length })
  }
  const device = defineDevice({
    ...{ name: "worn", size: memory.size, blockSize: BLOCK, tagSize },
    features: { write: true, atomicSize: BLOCK, discard: tagSize === 0 },
    async read(offset, buffer, tags) {
      pass("read", offset, buffer.length)
      for (let at = offset; at < offset + buffer.length; at += BLOCK) {
        const code = bad.get((at - START) / BLOCK)
        if (code === undefined) continue
        let end = at
        while (end < offset + buffer.length && bad.get((end - START) / BLOCK) === code) end += BLOCK
        throw new BlockError(code, "worn: bad", { offset: at, length: end - at })
      }
      await memory.read(offset, buffer, tags)
    },
    async write(offset, data, { tags }) {
      pass("write", offset, data.length)
      const held = leg.holdsNextWrite
      leg.holdsNextWrite = undefined
      await held
      await memory.write(offset, data, { tags })
      for (let at = offset; at < offset + data.length; at += BLOCK) bad.delete((at - START) / BLOCK)
    },
    async flush() {
      pass("flush", START, 0)
    },
    async discard(offset, length) {
      pass("discard", offset, length)
      await memory.discard(offset, length)
    },
  })
  const leg: WornLeg = { device, bytes, tagBytes, bad, requests, failsOn: undefined, holdsNextWrite: undefined }
  return leg
}

/** A mirror of whole worn legs, and what it told. */
export function mirrorOf(
  legs: readonly WornLeg[],
  options: Partial<MirrorOptions> = {},
): Mirror & { readonly events: readonly DeviceEvent[]; readonly kinds: () => string[] } {
  const events: DeviceEvent[] = []
  const mirror = mirrorTarget({
    legs: legs.map(({ device }) => ({ lower: device, start: START })),
    size: (legs[0]?.device.size ?? 0) - START,
    onEvent: (event) => void events.push(event),
    ...options,
  })
  return { ...mirror, events, kinds: () => events.map(({ kind }) => kind) }
}

export const content = (length: number = SIZE, label = "content"): Uint8Array => seededRandom(1, label).bytes(length)

export async function readAll(device: BlockDevice): Promise<Uint8Array> {
  const buffer = new Uint8Array(device.size)
  await device.read(0, buffer)
  return buffer
}

export const isSame = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0
/** What of the leg's medium belongs to the mirror. */
export const inUse = ({ bytes }: WornLeg): Uint8Array => bytes.subarray(START)
