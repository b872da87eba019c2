import { BlockError } from "@blockstrata/device"
import type { Case, Outcome, StepOutcome } from "./case.ts"
import { openHere } from "./here.ts"
import { readAll } from "./read-all.ts"

/** The first difference between a line in the kernel and here, in words; undefined if there is none. */
export async function differenceOf(each: Case, kernel: Outcome, here: Outcome): Promise<string | undefined> {
  if (kernel.verdict !== here.verdict) {
    const reasons = [kernel.reason, here.reason].filter((reason) => reason !== undefined)
    return `verdict: Linux ${kernel.verdict}, here ${here.verdict} (${reasons.join("; ")})`
  }
  if (kernel.verdict !== "taken") return undefined
  if (inTicks(kernel.printed) !== inTicks(here.printed))
    return `printed:\n  Linux ${kernel.printed}\n  here  ${here.printed}`
  if (kernel.geometry !== here.geometry) return `size and block: Linux ${kernel.geometry}, here ${here.geometry}`
  for (const [index, step] of each.steps.entries()) {
    const difference = stepDifference(kernel.steps[index], here.steps[index])
    if (difference !== undefined) return `step ${index} (${JSON.stringify(step)}): ${difference}`
  }
  if (each.isRandomized || each.isReadOnlyHere) return await rereadDifference(each, kernel)
  for (const [index, { name }] of each.media.entries()) {
    const difference = bytesDifference(kernel.media[index], here.media[index])
    if (difference !== undefined) return `medium ${name}: ${difference}`
  }
  return undefined
}

function stepDifference(kernel: StepOutcome | undefined, here: StepOutcome | undefined): string | undefined {
  if (kernel?.kind !== "read" || here?.kind !== "read") {
    // Linux has a word for a device that is read-only, but not for a target that does not write.
    const isSame = kernel?.kind === here?.kind || (kernel?.kind === "io" && here?.kind === "read-only")
    return isSame && kernel !== undefined ? undefined : `Linux ${describe(kernel)}, here ${describe(here)}`
  }
  const onlyThere = placesWithout(kernel.badOffsets, here.badOffsets)
  const onlyHere = placesWithout(here.badOffsets, kernel.badOffsets)
  if (onlyThere + onlyHere !== "") return `cannot be read: only in Linux ${onlyThere}; only here ${onlyHere}`
  return bytesDifference(kernel.content, here.content)
}

/** The first places that are not among the others, in words; nothing if there are none. */
function placesWithout(offsets: readonly number[], others: readonly number[]): string {
  const known = new Set(others)
  const left = offsets.filter((offset) => !known.has(offset))
  return left.length > 8 ? `${left.slice(0, 8).join(" ")} ... (${left.length})` : left.join(" ")
}

function describe(outcome: StepOutcome | undefined): string {
  if (outcome === undefined) return "nothing"
  return outcome.kind === "read" ? "read" : `${outcome.kind} ${outcome.detail ?? ""}`
}

function bytesDifference(kernel: Uint8Array | undefined, here: Uint8Array | undefined): string | undefined {
  if (kernel?.length !== here?.length) return `Linux ${kernel?.length} bytes, here ${here?.length}`
  const at = kernel?.findIndex((byte, index) => byte !== here?.[index]) ?? -1
  return at < 0 ? undefined : `byte ${at} is the first that differs: Linux ${kernel?.[at]}, here ${here?.[at]}`
}

/** What Linux wrote last, opened here, must read as it did in Linux. */
async function rereadDifference(each: Case, kernel: Outcome): Promise<string | undefined> {
  const last = kernel.steps.findLast((step) => step.kind === "read")
  try {
    const { device } = await openHere(
      each,
      kernel.media.map((medium) => new Uint8Array(medium)),
    )
    const difference = stepDifference(last, await readAll(device))
    await device.close()
    return difference && `Linux's medium, opened here: ${difference}`
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    return `Linux's medium does not open here: ${error.message}`
  }
}

/** The kernel keeps these times in ticks of its clock, rounded up, and prints them so. */
function inTicks(line: string | undefined): string | undefined {
  return line?.replace(/(bitmap_flush_interval|commit_time):(\d+)/g, (_, name: string, milliseconds: string) => {
    return `${name}:${Math.ceil(Number(milliseconds) / TICK_MS) * TICK_MS}`
  })
}

/** Of the guest's kernel (250 Hz). */
const TICK_MS = 4
