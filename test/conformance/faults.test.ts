import { memoryDevice } from "@blockstrata/device"
import { delayTarget, dustTarget, faultTarget, flakeyTarget, logWritesTarget } from "@blockstrata/targets/faults"
import { conformEverywhere, conformStack, type Step } from "./stack.ts"

const MARGIN = 8192

/** Faults that never come, in a range that is not the tail. */
const STEPS: Readonly<Record<string, Step["open"]>> = {
  "flakey, up": (lower, size) => flakeyTarget({ lower, start: MARGIN, size, upSeconds: 100_000, downSeconds: 1 }),
  "flakey, down, corrupting what never comes": (lower, size) => {
    const corruption = { byteNumber: 2 ** 32 - 1, direction: "write", value: 0 } as const
    return flakeyTarget({ lower, start: MARGIN, size, upSeconds: 0, downSeconds: 1, corruption })
  },
  "delay, of nothing": (lower, size) => delayTarget({ read: { lower, start: MARGIN, delayMs: 0 }, size }),
  "dust, without bad blocks": (lower, size) => dustTarget({ lower, start: MARGIN, size, badBlockSize: 4096 }).device,
  "dust, failing elsewhere": (lower, size) => {
    const { device, badBlocks } = dustTarget({ lower, start: MARGIN, size, badBlockSize: 4096 })
    badBlocks.add(0)
    badBlocks.enable()
    return device
  },
  "log-writes": (lower, size) => {
    const log = memoryDevice({ size: 64 * 1024 * 1024, blockSize: lower.blockSize })
    return logWritesTarget({ lower, log, size }).device
  },
  "log-writes, its log full": (lower, size) =>
    logWritesTarget({ lower, size, log: memoryDevice({ size: 4096 }) }).device,
  "fault, without faults": (lower, size) => faultTarget({ lower, start: MARGIN, size }).device,
  "fault, lifted": (lower, size) => {
    const { device, faults } = faultTarget({ lower, start: MARGIN, size, faults: [{ kind: "error" }] })
    faults.lift()
    return device
  },
}

const step = (open: Step["open"]): Step => ({ lowerSize: (size) => size + 2 * MARGIN, open })

for (const [name, open] of Object.entries(STEPS)) conformEverywhere(name, () => step(open))

conformStack("delay, of a millisecond", () => [
  step((lower, size) => delayTarget({ read: { lower, start: MARGIN, delayMs: 1 }, size })),
])
for (const name of ["flakey, up", "delay, of nothing", "fault, lifted"]) {
  const open = STEPS[name] as Step["open"]
  conformStack(`${name}, with tags`, () => [step(open)], { medium: { blockSize: 4096, tagSize: 7 } })
}
