import { type BlockDevice, defineDevice } from "@blockstrata/device"
import type { Medium } from "./medium.ts"
import type { MediumEvent } from "./medium-event.ts"

/** Sees one request through: `capture` copies its bytes when it lands, `effect` gives a read its bytes. */
export type RunRequest = (event: MediumEvent, capture: () => void, effect: () => void) => Promise<void>

const nothing = (): void => {}

/** A device on a medium. Closing it leaves the medium. */
export function mediumDevice(medium: Medium, atomicSize: 0 | 512, tick: () => number, run: RunRequest): BlockDevice {
  const { name, shape } = medium
  const { size, blockSize, tagSize } = shape
  const started = (kind: MediumEvent["kind"], offset: number, length: number, fua = false): MediumEvent => ({
    medium: name,
    kind,
    offset,
    length,
    fua,
    issuedAt: tick(),
    landedAt: undefined,
    data: undefined,
    tags: undefined,
  })
  return defineDevice({
    name,
    size,
    blockSize,
    tagSize,
    features: {
      write: true,
      discard: tagSize === 0,
      writeZeroes: true,
      fua: true,
      atomicSize: atomicSize === 0 ? 0 : medium.current.unit,
    },
    read(offset, buffer, tags) {
      return run(started("read", offset, buffer.length), nothing, () => {
        const { current } = medium
        current.data.read(offset, buffer)
        if (tags !== undefined) current.tags.read(current.tagOffset(offset), tags)
      })
    },
    write(offset, data, { tags, fua }) {
      const event = started("write", offset, data.length, fua)
      const capture = () => {
        event.data = new Uint8Array(data)
        event.tags = tags === undefined ? undefined : new Uint8Array(tags)
      }
      return run(event, capture, nothing)
    },
    writeZeroes: (offset, length, { fua }) => run(started("writeZeroes", offset, length, fua), nothing, nothing),
    discard: (offset, length) => run(started("discard", offset, length), nothing, nothing),
    flush: () => run(started("flush", 0, 0), nothing, nothing),
    async blockStatus(offset, length) {
      return medium.current.data.status(offset, length, blockSize)
    },
  })
}
