import type { BlockDevice } from "@blockstrata/device"
import type { MediumShape } from "../media/medium-content.ts"
import type { Runner } from "../runner.ts"

/** What a suite asks of the device that it is given. Every wish may be left unheard: the cases that need it skip themselves. */
export interface DeviceWish {
  /**
   * A device on the medium of this name: all zero at first, and with what it held when `create` is called again to open
   * the same stack. A suite can see, delay and fail what reaches it, crash it and alter it.
   */
  readonly medium: (name: string, shape: MediumShape) => BlockDevice
  /** The media are fresh: what has to be formatted is formatted now. False when a stack is opened again. */
  readonly isNew: boolean
  /** Bytes: 0 where any size does, up to 4 TiB for the cases about great offsets. */
  readonly minimumSizeBytes: number
  /**
   * Wraps a device at the bottom of the stack that is not a `medium`, so that the suite can see, delay and fail what
   * reaches it. Wrap what the
   * device will own (`base(share(medium))`, not `share(base(medium))`), after anything was formatted on it.
   */
  readonly base: (device: BlockDevice) => BlockDevice
}

export interface ConformanceOptions {
  /** Names the group of cases; the seed is added to it. */
  readonly name: string
  /** The words of the test runner: `{ describe, it }`. */
  readonly runner: Runner
  /**
   * A device, whose content does not matter, of at least 8 blocks. Called for each case with fresh media, and to open them
   * again; the suite closes it.
   * 64 KiB to 1 MiB is a good size. Unwritten blocks may be unreadable: no case reads what it did not write.
   */
  readonly create: (wish: DeviceWish) => Promise<BlockDevice> | BlockDevice
  /** Where `create` asks for no `medium`: opens again what `closed`, a device that it gave and that is closed now, was opened from. */
  readonly reopen?: ((closed: BlockDevice) => Promise<BlockDevice> | BlockDevice) | undefined
  /** The device states no writing. Said here too, so that a device cannot slip past half of the suite. False if not given. */
  readonly readOnly?: boolean | undefined
  /**
   * What reads give: `kept`, what was written (if not given); `zero`, zeroes whatever was written; or, of a read-only
   * device, its bytes (more than it has do no harm). A read-only device without it is compared with itself.
   */
  readonly content?: "kept" | "zero" | Uint8Array | undefined
  /**
   * Every bit that is changed in a base device, data or tag, must be reported as `INTEGRITY`. If not given, and `create`
   * asks for media, it is found out: who reports one must report all, or read right.
   */
  readonly authentic?: boolean | undefined
  /** Keys and passphrases, at least 8 bytes each, that no property, status or error text of the device may show. */
  readonly secrets?: readonly Uint8Array[] | undefined
  /** Decides all randomness of the suite; 1 if not given. */
  readonly seed?: number | undefined
  /** Operations of each random trace; 400 if not given, 10,000 for a thorough run. */
  readonly traceOperationCount?: number | undefined
}

export const TRACE_OPERATION_COUNT_DEFAULT = 400

/** @throws TypeError or RangeError for options that contradict themselves. */
export function checkConformanceOptions(options: ConformanceOptions): void {
  const { name, runner, create, content = "kept", readOnly = false, secrets = [], traceOperationCount = 1 } = options
  if (typeof name !== "string" || name === "") throw new TypeError("testBlockDevice: name: expected a text")
  if (typeof runner?.describe !== "function" || typeof runner.it !== "function") {
    throw new TypeError(`testBlockDevice: ${name}: runner: expected { describe, it }`)
  }
  if (typeof create !== "function") throw new TypeError(`testBlockDevice: ${name}: create: expected a function`)
  if (content instanceof Uint8Array && !readOnly) {
    throw new TypeError(`testBlockDevice: ${name}: content: only a read-only device has bytes of its own`)
  }
  for (const secret of secrets) {
    // Shorter ones turn up by chance, all equal ones in any zeroed buffer.
    if (secret.length < 8 || secret.every((byte) => byte === secret[0])) {
      throw new RangeError(`testBlockDevice: ${name}: secrets: expected at least 8 bytes that are not all equal`)
    }
  }
  if (!Number.isSafeInteger(traceOperationCount) || traceOperationCount < 1) {
    throw new RangeError(`testBlockDevice: ${name}: traceOperationCount: expected >= 1, got ${traceOperationCount}`)
  }
}
