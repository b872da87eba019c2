import type { MediumContent } from "./medium-content.ts"
import type { MediumEvent } from "./medium-event.ts"

/**
 * What a crash leaves of a change that no flush had made durable. A unit is the largest piece that the medium does not
 * tear. `zeroed` is permitted only on a medium that tears everything (`atomicSize` 0): file systems and some flash give
 * zeroes for blocks that were allocated and not written.
 */
export type CrashImage = "absent" | "whole" | "first unit" | "all but the first unit" | "every other unit" | "zeroed"

/** The images that differ from each other for a change of this length. `unit`: bytes. */
export function crashImages(length: number, unit: number, mayZero: boolean): CrashImage[] {
  const images: CrashImage[] = ["absent", "whole"]
  if (length > unit) images.push("first unit", "all but the first unit")
  if (length > 2 * unit) images.push("every other unit")
  if (mayZero) images.push("zeroed")
  return images
}

/** Puts what a crash leaves of `change` on the medium. */
export function applyImage(content: MediumContent, change: MediumEvent, image: CrashImage): void {
  if (image === "absent") return
  const { offset, length } = change
  if (image === "whole") return content.apply(change, 0, length)
  if (image === "zeroed") return content.data.clear(offset, length)
  const { unit } = content
  if (image === "first unit") return content.apply(change, 0, Math.min(unit, length))
  const [first, step] = image === "all but the first unit" ? [unit, unit] : [0, 2 * unit]
  for (let from = first; from < length; from += step) content.apply(change, from, Math.min(from + unit, length))
}
