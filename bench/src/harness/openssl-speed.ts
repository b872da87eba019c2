import { runChild } from "./child-process.ts"
import { median } from "./median.ts"
import type { Pace } from "./pace.ts"
import { findTool } from "./tool.ts"

const MIB = 1024 * 1024
const RUN_COUNT = 3

/** What `openssl speed` reaches: MiB per second of CPU time, as it counts. */
export type OpensslSpeed = (args: readonly string[], bytes: number) => Promise<Readonly<Record<string, number>>>

/**
 * The installed `openssl`, which need not be the OpenSSL that Node was built with, as the rival `openssl-speed`; no rival
 * where there is none. The median of three runs of a second; each question is asked once. In small mode only the first one is.
 */
export function opensslSpeed(pace: Pace, note: (text: string) => void): OpensslSpeed {
  const program = findTool("openssl")
  if (program === undefined) note("openssl speed: openssl is not installed")
  const known = new Map<string, number>()
  return async (args, bytes) => {
    const question = ["-bytes", String(bytes), ...args]
    const key = question.join(" ")
    if (program === undefined || (pace.isSmall && known.size > 0 && !known.has(key))) return {}
    const rate = known.get(key) ?? (await askOpenssl(program, question, pace.isSmall ? 1 : RUN_COUNT))
    known.set(key, rate)
    return { "openssl-speed": rate }
  }
}

async function askOpenssl(program: string, question: readonly string[], runCount: number): Promise<number> {
  const rates: number[] = []
  for (let run = 0; run < runCount; run++) {
    const output = await runChild(program, ["speed", "-mr", "-seconds", "1", ...question])
    // +F:22:AES-256-XTS:8291056326.53
    const bytesPerSecond = Number(/^\+F:.*:([\d.]+)$/m.exec(output)?.[1])
    if (!(bytesPerSecond > 0)) throw new Error(`openssl speed ${question.join(" ")}: not understood: ${output}`)
    rates.push(bytesPerSecond / MIB)
  }
  return median(rates)
}
