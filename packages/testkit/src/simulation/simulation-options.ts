import type { CreateSeededStack } from "../crash/crash-search.ts"

/** A simulation of one seed. */
export interface SimulationOptions {
  /** Opens the stack on `wish.medium`. All that waits, waits for media or for `wish.runtime`. */
  readonly create: CreateSeededStack
  /** Decides everything. */
  readonly seed: number
  /** Clients with one request in flight each; 4 if not given. */
  readonly clientCount?: number | undefined
  /** Requests of one client between two openings; 12 if not given. */
  readonly operationCount?: number | undefined
  /** Openings, but the last, end in a crash, or by closing; at most 4 if not given. */
  readonly lifeCountMax?: number | undefined
  /** The first blocks of the device, on which the clients work; 48 if not given. */
  readonly blockCountMax?: number | undefined
  /** What a request to a medium takes, from ... to, in milliseconds; if both are equal, none overtakes another. */
  readonly latencyMs?: readonly [from: number, to: number] | undefined
  /** The share of requests to media that fail, up to; 0.05 if not given. Half of the lives have none. */
  readonly faultShareMax?: number | undefined
  readonly atomicSize?: 0 | 512 | undefined
}

export interface SimulationReport {
  readonly seed: number
  /** Of all requests, their times, bytes and ends: two runs that differ in anything differ in it. */
  readonly eventHash: string
  readonly simulatedMilliseconds: number
  readonly operationCount: number
  /** To media. */
  readonly requestCount: number
  readonly faultCount: number
  readonly crashCount: number
}

/** What many seeds gave. */
export interface SimulationsReport extends Omit<SimulationReport, "seed" | "eventHash"> {
  readonly firstSeed: number
  readonly seedCount: number
}

/** The device did what its contract forbids, or nothing at all. `seed` alone repeats it. */
export class SimulationFailure extends Error {
  override readonly name = "SimulationFailure"
  readonly seed: number
  readonly eventHash: string
  /** JSON, for a file. */
  readonly replay: string

  constructor(problem: string, seed: number, eventHash: string, lastEvents: readonly string[]) {
    super([`${problem} (SEED=${seed})`, ...lastEvents.map((line) => `  ${line}`)].join("\n"))
    this.seed = seed
    this.eventHash = eventHash
    this.replay = JSON.stringify({ kind: "simulation", version: 1, seed, eventHash })
  }
}

/** The report in a line, for people. */
export function printSimulationReport(name: string, report: SimulationsReport): string {
  const count = (value: number) => value.toLocaleString("en")
  const hours = (report.simulatedMilliseconds / 3_600_000).toFixed(1)
  return (
    `${name}: ${count(report.seedCount)} seeds from ${report.firstSeed}, ${hours} simulated hours; ` +
    `${count(report.operationCount)} operations, ${count(report.requestCount)} requests to media, ` +
    `${count(report.faultCount)} faults, ${count(report.crashCount)} crashes`
  )
}
