/** How long a measurement takes. */
export interface Pace {
  /** Every case once, on little data: to see that it works, not how fast. */
  readonly isSmall: boolean
  readonly roundCount: number
  /** Slices of each contestant in a round; the fastest counts. */
  readonly sliceCount: number
  /** Milliseconds of one slice. */
  readonly sliceMs: number
  /** Milliseconds of each contestant before the first round, for compilers and caches. */
  readonly warmUpMs: number
}

export const FULL_PACE: Pace = { isSmall: false, roundCount: 9, sliceCount: 3, sliceMs: 3, warmUpMs: 60 }
export const SMALL_PACE: Pace = { isSmall: true, roundCount: 1, sliceCount: 1, sliceMs: 0.2, warmUpMs: 0 }
