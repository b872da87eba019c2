import type { BlockDevice, BlockStatus, Extent, Features, Layer, Lower, WriteOptions } from "./block-device.ts"
import { BlockError, type Operation } from "./block-error.ts"
import { checkFeatures, checkShape } from "./device-shape.ts"
import { checkBuffers, checkRange } from "./request-check.ts"
import { requestGate } from "./request-gate.ts"
import { writeZeroBytes } from "./zero-writes.ts"

/**
 * What a target supplies. It receives only well-formed, non-empty requests on an open device: aligned, in range, with
 * tags of the right length, of a feature that it stated. It throws `BlockError`s in its own coordinates, without
 * `device`; errors of its lowers it lets pass, and the edge translates them.
 */
export interface DeviceImplementation {
  readonly name: string
  readonly size: number
  readonly blockSize: number
  readonly tagSize?: number | undefined
  /** What is not stated is absent. */
  readonly features?: Partial<Features> | undefined
  /** One request becomes several lower ones which must agree: overlapping requests are ordered, reads included. */
  readonly ordered?: boolean | undefined
  /** Closed with this device, unless `ownsLowers` is false. */
  readonly lowers?: readonly Lower[] | undefined
  readonly ownsLowers?: boolean | undefined
  /** The one translation function: which bytes below hold these. */
  readonly extents?: ((offset: number, length: number) => readonly Extent[]) | undefined
  readonly status?: (() => Readonly<Record<string, string | number>>) | undefined
  read(offset: number, buffer: Uint8Array, tags: Uint8Array | undefined): Promise<void>
  /** `fua` is true only where `features.fua` is stated; else the edge flushes after the write. */
  write?(offset: number, data: Uint8Array, options: { tags: Uint8Array | undefined; fua: boolean }): Promise<void>
  /** Required where writing is stated. */
  flush?(): Promise<void>
  discard?(offset: number, length: number): Promise<void>
  writeZeroes?(offset: number, length: number, options: { fua: boolean; mayDiscard: boolean }): Promise<void>
  blockStatus?(offset: number, length: number): Promise<BlockStatus[]>
  /** Wipes keys, writes clean marks. Nothing is in flight any more; the lowers are still open. */
  close?(): Promise<void>
}

const NO_OPTIONS: WriteOptions = {}

function zero(buffer: Uint8Array, tags: Uint8Array | undefined): void {
  buffer.fill(0)
  tags?.fill(0)
}

/** What whoever walks a stack sees of a device. */
function layerOf(implementation: DeviceImplementation, shape: ReturnType<typeof checkShape>): Layer {
  return Object.freeze({
    name: shape.name,
    lowers: shape.lowers,
    extents(offset: number, length: number) {
      checkRange(shape, offset, length)
      return length === 0 ? [] : (implementation.extents?.(offset, length) ?? [])
    },
    status: () => implementation.status?.() ?? {},
  })
}

/**
 * The edge: the only way to make a device. It checks every request once (state, types, alignment, range, tags,
 * features), so that what lies inside can stay naive, and gives what the contract promises of any device: buffers of
 * failed reads are zeroed, errors carry this device's coordinates, `fua` and `writeZeroes` work everywhere, and
 * `close` drains.
 *
 * @throws TypeError or RangeError if the implementation contradicts itself.
 */
export function defineDevice(implementation: DeviceImplementation): BlockDevice {
  const features = checkFeatures(implementation)
  const shape = checkShape(implementation)
  const { name, lowers } = shape
  const gate = requestGate({ ...shape, extents: implementation.extents }, implementation.ordered === true, () => device)
  const { run } = gate

  const flush = async () => await implementation.flush?.()

  /** Where the target does not know `fua`, a flush follows. */
  async function withFua(fua: boolean, action: (fua: boolean) => Promise<void> | undefined): Promise<void> {
    await action(fua && features.fua)
    if (fua && !features.fua) await flush()
  }

  function checkChange(operation: Operation, isSupported: boolean): void {
    if (features.write && isSupported) return
    const code = features.write ? "UNSUPPORTED" : "READ_ONLY"
    const what = features.write ? "is absent on this device" : "on a read-only device"
    throw new BlockError(code, `${name}: ${operation} ${what}`, { device: name, operation })
  }

  const device: BlockDevice = Object.freeze<BlockDevice>({
    size: shape.size,
    blockSize: shape.blockSize,
    tagSize: shape.tagSize,
    features,
    layer: layerOf(implementation, shape),
    read(offset, buffer, tags) {
      try {
        checkBuffers(shape, offset, buffer, tags)
        gate.checkOpen("read")
      } catch (error) {
        if (error instanceof BlockError) zero(buffer, tags)
        return Promise.reject(error)
      }
      if (buffer.length === 0) return Promise.resolve()
      const range = { offset, length: buffer.length }
      return run(
        "read",
        range,
        () => implementation.read(offset, buffer, tags),
        () => zero(buffer, tags),
      )
    },
    write(offset, data, options = NO_OPTIONS) {
      let tags: Uint8Array | undefined
      let fua: boolean
      try {
        // Here and not in the signature: misuse is a rejection too.
        ;({ tags, fua = false } = options)
        gate.checkOpen("write")
        checkBuffers(shape, offset, data, tags)
        checkChange("write", true)
      } catch (error) {
        return Promise.reject(error)
      }
      if (data.length === 0) return Promise.resolve()
      const write = (native: boolean) =>
        implementation.write?.(offset, data, { tags, fua: native }) ?? Promise.resolve()
      return run("write", { offset, length: data.length }, () => (fua ? withFua(true, write) : write(false)))
    },
    async flush() {
      gate.checkOpen("flush")
      if (features.write) await run("flush", undefined, flush)
    },
    async discard(offset, length) {
      gate.checkOpen("discard")
      checkRange(shape, offset, length)
      checkChange("discard", features.discard)
      if (length === 0) return
      await run("discard", { offset, length }, async () => await implementation.discard?.(offset, length))
    },
    async writeZeroes(offset, length, { fua = false, mayDiscard = false } = {}) {
      gate.checkOpen("writeZeroes")
      checkRange(shape, offset, length)
      checkChange("writeZeroes", true)
      if (length === 0) return
      await run("writeZeroes", { offset, length }, () =>
        withFua(fua, (native) =>
          implementation.writeZeroes === undefined
            ? writeZeroBytes(implementation, offset, length, native)
            : implementation.writeZeroes(offset, length, { fua: native, mayDiscard }),
        ),
      )
    },
    async blockStatus(offset, length) {
      gate.checkOpen("blockStatus")
      checkRange(shape, offset, length)
      if (length === 0) return []
      const whole: BlockStatus[] = [{ offset, length, kind: "allocated" }]
      return await run(
        "blockStatus",
        { offset, length },
        async () => (await implementation.blockStatus?.(offset, length)) ?? whole,
      )
    },
    close() {
      // The flush comes first: what the target writes when it closes must not overtake what it was given before.
      const lowerSteps = implementation.ownsLowers === false ? [] : lowers.map((lower) => () => lower.device.close())
      const flushSteps = features.write ? [flush] : []
      return gate.close([...flushSteps, async () => await implementation.close?.(), ...lowerSteps])
    },
    [Symbol.asyncDispose]: () => device.close(),
  })
  return device
}
