import type { HoleCalls } from "./hole-calls.ts"

/** SEEK_DATA and SEEK_HOLE on one file, which remember the run of data that they last came upon. */
export interface DataRun {
  /** As `HoleCalls.seek` on the file. */
  seek(calls: HoleCalls, fd: number, offset: number, kind: "data" | "hole"): number | undefined
  /** To be called when a hole was made. */
  forget(): void
}

/**
 * Finding where a run of data ends takes the system time in proportion to the run, on some file systems page by page; a
 * file that is copied piece by piece would pay it again for each piece. That data became a hole meanwhile by another
 * process's hand is not noticed: it is then reported as allocated, which is never wrong.
 */
export function dataRun(): DataRun {
  let [start, end] = [0, 0]
  const isInside = (offset: number) => offset >= start && offset < end
  return {
    seek(calls, fd, offset, kind) {
      if (isInside(offset)) return kind === "data" ? offset : end
      const found = calls.seek(fd, offset, kind)
      if (kind === "hole" && found !== undefined) [start, end] = [offset, found]
      return found
    },
    forget() {
      end = start
    },
  }
}
