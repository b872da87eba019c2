import { type BlockDevice, BlockError, defineDevice } from "@blockstrata/device"

/** One request that arrived at a base device. `issuedAt` and `settledAt` are places in one common order. */
export interface BaseRequest {
  readonly base: BlockDevice
  readonly operation: "read" | "write" | "flush" | "discard" | "writeZeroes" | "close"
  readonly offset: number
  readonly length: number
  readonly fua: boolean
  readonly issuedAt: number
  /** Undefined while it is in flight, and if it failed. */
  settledAt: number | undefined
}

/** Sees, delays and fails the requests that a device makes to the devices at its bottom. */
export interface Probe {
  /** A pass-through around a base device: same geometry, same features, same tags. */
  readonly around: (base: BlockDevice) => BlockDevice
  readonly bases: readonly BlockDevice[]
  readonly requests: readonly BaseRequest[]
  /** Requests that arrived and have not ended. */
  inFlightCount(): number
  /** Some request failed: in `intercept`, or in the base device itself. */
  hasFailed(): boolean
  /** Called before a request is passed on: what it awaits delays the request, what it throws fails it. */
  intercept: ((request: BaseRequest) => Promise<void> | void) | undefined
}

/** The layer name of a probe: a walk down a stack ends here. */
export const PROBE_NAME = "probe"

export function createProbe(): Probe {
  const bases: BlockDevice[] = []
  const requests: BaseRequest[] = []
  let clock = 0
  let inFlight = 0
  let hasFailed = false

  const follow = async (request: BaseRequest, pass: () => Promise<void>): Promise<void> => {
    requests.push(request)
    inFlight++
    try {
      await probe.intercept?.(request)
      await pass()
      request.settledAt = clock++
    } catch (error) {
      hasFailed = true
      throw error
    } finally {
      inFlight--
    }
  }
  const around = (base: BlockDevice): BlockDevice => {
    const started = (operation: BaseRequest["operation"], offset = 0, length = 0, fua = false): BaseRequest => ({
      base,
      operation,
      offset,
      length,
      fua,
      issuedAt: clock++,
      settledAt: undefined,
    })
    bases.push(base)
    return probeDevice(base, (operation, pass, offset, length, fua) =>
      follow(started(operation, offset, length, fua), pass),
    )
  }
  const probe: Probe = {
    around,
    bases,
    requests,
    inFlightCount: () => inFlight,
    hasFailed: () => hasFailed,
    intercept: undefined,
  }
  return probe
}

type Follow = (
  operation: BaseRequest["operation"],
  pass: () => Promise<void>,
  offset?: number,
  length?: number,
  fua?: boolean,
) => Promise<void>

function probeDevice(base: BlockDevice, follow: Follow): BlockDevice {
  const { size, blockSize, tagSize, features } = base
  return defineDevice({
    name: PROBE_NAME,
    size,
    blockSize,
    tagSize,
    features,
    lowers: [{ role: "data", device: base }],
    extents: (offset, length) => [{ role: "data", offset, length }],
    read: (offset, buffer, tags) => follow("read", () => base.read(offset, buffer, tags), offset, buffer.length),
    ...(features.write && {
      write: (offset, data, options) =>
        follow("write", () => base.write(offset, data, options), offset, data.length, options.fua),
    }),
    ...(features.writeZeroes && {
      writeZeroes: (offset, length, options) =>
        follow("writeZeroes", () => base.writeZeroes(offset, length, options), offset, length, options.fua),
    }),
    ...(features.discard && {
      discard: (offset, length) => follow("discard", () => base.discard(offset, length), offset, length),
    }),
    flush: () => follow("flush", () => base.flush()),
    blockStatus: (offset, length) => base.blockStatus(offset, length),
    close: () => follow("close", () => Promise.resolve()),
  })
}

/** Lets what is ready run: `turnCount` turns of the microtask queue. */
export async function pause(turnCount: number): Promise<void> {
  for (let turn = 0; turn < turnCount; turn++) await Promise.resolve()
}

/** Fails the `nth` request of one kind, counted from 1; says afterwards whether there was one. */
export function failNth(probe: Probe, operation: BaseRequest["operation"], nth: number): () => boolean {
  let seen = 0
  probe.intercept = (request) => {
    if (request.operation !== operation || ++seen !== nth) return
    const { offset, length } = request
    throw new BlockError("IO", `probe: ${operation} ${nth} fails on purpose`, { offset, length })
  }
  return () => seen >= nth
}

/** Holds every request of the given kinds until the returned function is called. */
export function holdAll(probe: Probe, operations: readonly BaseRequest["operation"][]): () => void {
  let release = (): void => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  probe.intercept = (request) => (operations.includes(request.operation) ? gate : undefined)
  return () => {
    probe.intercept = undefined
    release()
  }
}
