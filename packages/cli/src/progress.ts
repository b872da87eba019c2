import { hostRuntime } from "blockstrata"
import type { Host } from "./host.ts"

const BAR_WIDTH = 30
const MIB = 1024 * 1024
/** Milliseconds between two drawings. */
const DRAWING_INTERVAL = 100

/** Draws a bar with rate and remaining time on a terminal; nothing where the output is piped. */
export function progressBar(host: Host): (done: number, total: number) => void {
  if (!host.isTerminal) return () => {}
  const start = hostRuntime.now()
  let drawn = Number.NEGATIVE_INFINITY
  return (done, total) => {
    const now = hostRuntime.now()
    if (done < total && now - drawn < DRAWING_INTERVAL) return
    drawn = now
    const share = total === 0 ? 1 : done / total
    const seconds = (now - start) / 1000
    const remaining = share === 0 ? "?" : `${Math.ceil(seconds / share - seconds)} s`
    const bar = "#".repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, ".")
    const rate = seconds === 0 ? 0 : done / MIB / seconds
    host.writeError(
      `\r${bar} ${Math.floor(share * 100)} %, ${rate.toFixed(0)} MiB/s, ${remaining} left   ${done === total ? "\n" : ""}`,
    )
  }
}
