const SLOW_FACTOR = 20

/** How many runs a property gets: as many as asked for in the fast run, 20 times as many with `SLOW=1`. */
export function runCount(fastCount: number): number {
  return process.env["SLOW"] === "1" ? fastCount * SLOW_FACTOR : fastCount
}
