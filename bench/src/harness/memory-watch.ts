const MIB = 1024 * 1024

/** How much memory the process held while something ran, in MiB. */
export interface MemoryGrowth {
  readonly before: number
  readonly max: number
  readonly after: number
}

export interface MemoryWatch {
  sample(): void
  end(): MemoryGrowth
}

/** Watches the resident memory of this process from here on. */
export function watchMemory(): MemoryWatch {
  const before = residentMib()
  let max = before
  return {
    sample() {
      max = Math.max(max, residentMib())
    },
    end() {
      const after = residentMib()
      return { before, max: Math.max(max, after), after }
    },
  }
}

function residentMib(): number {
  return process.memoryUsage.rss() / MIB
}
