import type { StatePlace } from "./crash-search.ts"

/** All that is needed to come back to one state of one run. */
export interface CrashReplay {
  readonly kind: "crash"
  readonly version: 1
  readonly seed: number
  readonly atomicSize: 0 | 512
  readonly operationCount: number
  /** Indexes of the steps that are left out. */
  readonly skippedSteps: readonly number[]
  /** The crash, and the crash during the recovery from it, if there was one. */
  readonly places: readonly StatePlace[]
}

export function encodeReplay(replay: CrashReplay): string {
  return JSON.stringify(replay)
}

/** @throws RangeError for a text that is no replay of a crash. */
export function decodeReplay(text: string): CrashReplay {
  const replay = JSON.parse(text) as Partial<CrashReplay>
  const isWhole =
    replay.kind === "crash" &&
    replay.version === 1 &&
    Number.isSafeInteger(replay.seed) &&
    (replay.atomicSize === 0 || replay.atomicSize === 512) &&
    Array.isArray(replay.skippedSteps) &&
    Array.isArray(replay.places) &&
    replay.places.length > 0
  if (!isWhole) throw new RangeError("replayCrash: expected the replay of a crash, version 1")
  return replay as CrashReplay
}
