/** Requests of one trial: a helper that slept deeply comes too late for the first. What a way costs is its best of these. */
const TRIAL_COUNT = 4
/** Requests from the end of a trial to the next one: after each trial that did not pay twice as many, up to this. */
const INTERVAL_MAX = 256
const INTERVAL_MIN = 8

type Way = "alone" | "shared"

/** Finds out, request by request, whether helpers are a help. */
export interface ShareJudge {
  next(): Way
  /** Tells what a request of `next()`'s way took. */
  note(bytes: number, nanoseconds: number): void
}

/**
 * Compares what requests cost a byte, alone and shared. Whether helpers gain depends on what else the cores have to do: a
 * helper that is given the caller's own core only takes turns with it, and nothing but a clock tells. The clock decides
 * who works; no byte depends on it.
 */
export function shareJudge(): ShareJudge {
  let better: Way = "alone"
  let betterCost = Number.POSITIVE_INFINITY
  let trialCost = Number.POSITIVE_INFINITY
  let interval = INTERVAL_MIN
  /** Requests to go until a trial; from 0 down to -TRIAL_COUNT, one is on. */
  let countdown = TRIAL_COUNT
  const isTrial = () => countdown < 0

  function endTrial(): void {
    const pays = trialCost < betterCost
    if (pays) [better, betterCost] = [other(better), trialCost]
    interval = pays ? INTERVAL_MIN : Math.min(2 * interval, INTERVAL_MAX)
    countdown = interval
    trialCost = Number.POSITIVE_INFINITY
  }

  return {
    next() {
      countdown -= 1
      return isTrial() ? other(better) : better
    },
    note(bytes, nanoseconds) {
      const cost = nanoseconds / bytes
      if (!isTrial()) {
        // The last few before a trial are what it is compared with.
        betterCost = countdown === TRIAL_COUNT - 1 ? cost : Math.min(betterCost, cost)
        return
      }
      trialCost = Math.min(trialCost, cost)
      if (countdown === -TRIAL_COUNT) endTrial()
    },
  }
}

function other(way: Way): Way {
  return way === "alone" ? "shared" : "alone"
}
