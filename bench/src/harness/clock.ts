import { readFileSync } from "node:fs"
import { hostRuntime } from "@blockstrata/device"

/** Seconds since some start. */
export type Clock = () => number

export const wallClock: Clock = () => hostRuntime.now() / 1000

/** CPU time of this process, user and system, all of its threads. */
export const ownCpuClock: Clock = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Linux counts a process's time in these for whoever asks (`USER_HZ`): 10 ms, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100
/** `cutime` and `cstime` in /proc/PID/stat, counted behind the name in parentheses, which may hold spaces. */
const CHILD_TIME_FIELDS = [13, 14]

/**
 * Seconds of CPU time, user and system, of all children that have ended: start-up and every thread included. `undefined`
 * where the system does not tell.
 */
export function childCpuClock(): Clock | undefined {
  const read: Clock = () => {
    const text = readFileSync("/proc/self/stat", "latin1")
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
    return CHILD_TIME_FIELDS.reduce((sum, index) => sum + Number(fields[index]), 0) / TICKS_PER_SECOND
  }
  try {
    return Number.isFinite(read()) ? read : undefined
  } catch {
    return undefined
  }
}
