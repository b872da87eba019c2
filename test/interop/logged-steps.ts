import { memoryDevice } from "@blockstrata/device"
import { logWritesTarget } from "@blockstrata/targets/faults"
import { seededRandom } from "@blockstrata/testkit"

/** Something done to a device over log-writes; places and lengths in its blocks. `source` is a place in `sourceData`. */
export type LoggedStep =
  | { readonly kind: "write" | "fua"; readonly at: number; readonly count: number; readonly source: number }
  | { readonly kind: "discard"; readonly at: number; readonly count: number }
  | { readonly kind: "flush" }
  | { readonly kind: "mark"; readonly text: string }

export interface LoggedRun {
  readonly seed: number
  readonly blockSize: number
  readonly steps: readonly LoggedStep[]
}

/** Bytes of the logged device and of its log. */
export const LOGGED_SIZE: number = 1024 * 1024
export const LOG_SIZE: number = 4 * 1024 * 1024
const SOURCE_BLOCKS = 64

/** What stands on the device before, and what is written to it. */
export const mediumBefore = (): Uint8Array => pattern(LOGGED_SIZE, 11)
export const sourceData = (blockSize: number): Uint8Array => pattern(2 * SOURCE_BLOCKS * blockSize, 5)

function pattern(length: number, salt: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + Math.floor(index / 512) * 13 + salt) % 251)
}

/** Steps of a seed: of every kind, with flushes few enough that much is held. */
export function loggedRun(seed: number, blockSize: number, stepCount: number): LoggedRun {
  const random = seededRandom(seed, "log-writes")
  const kinds = ["write", "write", "write", "write", "fua", "discard", "flush", "mark"] as const
  const steps = Array.from({ length: stepCount }, (_, index): LoggedStep => {
    const kind = random.pick(kinds)
    const count = 1 + random.below(random.below(4) === 0 ? SOURCE_BLOCKS : 4)
    const at = random.below(LOGGED_SIZE / blockSize - SOURCE_BLOCKS)
    if (kind === "flush") return { kind }
    if (kind === "mark") return { kind, text: `step-${index}-${"x".repeat(random.below(blockSize + 100))}` }
    return kind === "discard" ? { kind, at, count } : { kind, at, count, source: random.below(SOURCE_BLOCKS) }
  })
  return { seed, blockSize, steps }
}

/** The same steps, with a flush before each FUA write, so that it overtakes nothing. */
export function flushBeforeFua(run: LoggedRun): LoggedRun {
  const steps = run.steps.flatMap((step): LoggedStep[] => (step.kind === "fua" ? [{ kind: "flush" }, step] : [step]))
  return { ...run, steps }
}

/** What a kernel did whose log is kept beside this file. */
export const KEPT_RUN: LoggedRun = flushBeforeFua(loggedRun(1, 512, 50))

/** The steps as a script for the kernel, one after another; the device is `/dev/mapper/x`. */
export function stepScript({ blockSize, steps }: LoggedRun, dataPath: string): string {
  return steps
    .map((step) => {
      if (step.kind === "mark") return `dmsetup message x 0 mark ${step.text}`
      if (step.kind === "flush") return "dd if=/dev/null of=/dev/mapper/x conv=fsync,notrunc count=0 status=none"
      const [offset, length] = [step.at * blockSize, step.count * blockSize]
      if (step.kind === "discard") return `blkdiscard -o ${offset} -l ${length} /dev/mapper/x`
      const flags = step.kind === "fua" ? "direct,seek_bytes,dsync" : "direct,seek_bytes"
      return (
        `dd if=${dataPath} iflag=skip_bytes,fullblock skip=${step.source * blockSize} of=/dev/mapper/x oflag=${flags} ` +
        `seek=${offset} bs=${length} count=1 conv=notrunc status=none`
      )
    })
    .join("\n")
}

/** The steps done here: what the log and the device hold then. */
export async function runHere({ blockSize, steps }: LoggedRun): Promise<{ log: Uint8Array; medium: Uint8Array }> {
  const [log, medium, source] = [new Uint8Array(LOG_SIZE), mediumBefore(), sourceData(blockSize)]
  const { device, mark } = logWritesTarget({
    lower: memoryDevice({ bytes: medium, blockSize }),
    log: memoryDevice({ bytes: log, blockSize }),
  })
  for (const step of steps) {
    if (step.kind === "mark") await mark(step.text)
    else if (step.kind === "flush") await device.flush()
    else if (step.kind === "discard") await device.discard(step.at * blockSize, step.count * blockSize)
    else {
      const data = source.subarray(step.source * blockSize, (step.source + step.count) * blockSize)
      await device.write(step.at * blockSize, data, { fua: step.kind === "fua" })
      // A synchronous direct write of Linux is a FUA write, and then a flush.
      if (step.kind === "fua") await device.flush()
    }
  }
  await device.close()
  return { log, medium }
}
