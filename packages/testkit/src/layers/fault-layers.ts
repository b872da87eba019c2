import { share } from "@blockstrata/device"
import { linearTarget } from "@blockstrata/targets"
import { delayTarget, dustTarget, faultTarget, flakeyTarget, logWritesTarget } from "@blockstrata/targets/faults"
import fc from "fast-check"
import type { LayerKind } from "../stack/stack-plan.ts"

interface FaultOptions {
  readonly target: "flakey" | "delay" | "dust" | "fault"
}

/** The targets that misbehave on purpose, while they do not: they then are what lies below. */
export const idleFaultLayer: LayerKind<FaultOptions> = {
  name: "idle fault",
  options: fc.record({ target: fc.constantFrom<FaultOptions["target"][]>("flakey", "delay", "dust", "fault") }),
  shape: (_options, below) => below,
  lowerSize: (_options, size) => size,
  open({ target }, lower, size, { runtime }) {
    if (target === "flakey") return flakeyTarget({ lower, size, upSeconds: 60, downSeconds: 0, runtime })
    if (target === "delay") return delayTarget({ read: { lower, start: 0, delayMs: 0 }, size, runtime })
    if (target === "dust") return dustTarget({ lower, size, badBlockSize: lower.blockSize }).device
    return faultTarget({ lower, size, runtime }).device
  },
}

/** Room for what one session writes; sparse, where the medium is. */
const LOG_SIZE = 16 * 1024 * 1024

/** A log of every write, behind the data. */
export const logWritesLayer: LayerKind<null> = {
  name: "log-writes",
  options: fc.constant(null),
  shape: (_options, below) => (below.tagSize > 0 || below.isReadOnly === true ? undefined : below),
  lowerSize: (_options, size) => size + LOG_SIZE,
  open(_options, lower, size) {
    const data = linearTarget({ lower: share(lower), start: 0, size })
    const log = linearTarget({ lower: share(lower), start: size, size: LOG_SIZE })
    return logWritesTarget({ lower: data, log }).device
  },
}
