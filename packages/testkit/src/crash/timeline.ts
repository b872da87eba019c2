import type { Media } from "../media/media.ts"
import type { Medium } from "../media/medium.ts"
import { isChange, type MediumEvent } from "../media/medium-event.ts"

/** What is owed from this place of the common order on. */
export interface Owed<Moment> {
  readonly at: number
  readonly moment: Moment
}

/**
 * Something that alters what a crash may leave: a change is on its way (and what is owed from here on, should the crash
 * come now), a change or a flush has landed, or more is owed than before with nothing new on the way.
 */
export type TimelinePoint<Moment> =
  | ({ readonly kind: "issued"; readonly event: MediumEvent } & Owed<Moment>)
  | { readonly kind: "landed"; readonly event: MediumEvent; readonly at: number }
  | ({ readonly kind: "owed" } & Owed<Moment>)

/** All that happened to the media of a stack from a moment at which everything was durable. */
export interface Timeline<Moment> {
  /** What the media held then. */
  readonly media: ReadonlyMap<string, Medium>
  readonly start: Moment
  /** In the common order. */
  readonly points: readonly TimelinePoint<Moment>[]
}

/** The points of what recording media saw from `from` on. `momentOf` is asked for changes only. */
export function pointsOf<Moment>(
  media: Media,
  from: number,
  momentOf: (event: MediumEvent) => Moment,
  owed: readonly Owed<Moment>[],
): TimelinePoint<Moment>[] {
  const points: TimelinePoint<Moment>[] = owed.map((point) => ({ kind: "owed", ...point }))
  for (const event of media.events) {
    const { issuedAt, landedAt = Number.POSITIVE_INFINITY } = event
    if (landedAt < from || event.kind === "read") continue
    // Never landed: nobody knows its bytes.
    if (event.kind === "write" && event.data === undefined) continue
    if (isChange(event)) points.push({ kind: "issued", event, at: issuedAt, moment: momentOf(event) })
    if (landedAt !== Number.POSITIVE_INFINITY) points.push({ kind: "landed", event, at: landedAt })
  }
  return points.sort((a, b) => a.at - b.at)
}
