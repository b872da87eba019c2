import { writeFile } from "node:fs/promises"
import type { BenchRecord } from "@blockstrata/bench"
import type { Command } from "commander"
import { VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { readTable } from "./volume-arguments.ts"

interface BenchCommandOptions {
  readonly layers?: string
  readonly engine?: string
  readonly small?: boolean
  readonly json?: boolean
  readonly report?: string | true
}

const REPORT_FILE = "bench-report.svg"

/** `strata bench`: it comes with the optional package `@blockstrata/bench`. */
export function addBenchCommand(program: Command, host: Host): void {
  program
    .command("bench")
    .argument("[NAME...]", "sector-ciphers, aead, hash-tree, stack-overhead, file-io, copy; all if none is named")
    .description("ratios to the limit, to the naive way and to the rivals that are installed [runBenches]")
    .option("--layers <TABLE>", "what each layer of a stack costs: device-mapper lines, or @FILE with them")
    .option("--engine <ENGINE>", "node or portable; both if not given")
    .option("--small", "every case once, on little data: to see that it works")
    .option("--json", "one array on stdout, bigger is better")
    .option("--report [FILE]", `a picture, SVG; ${REPORT_FILE} if no FILE is named`)
    .action((names: readonly string[], options: BenchCommandOptions) => bench(host, names, options))
}

async function bench(host: Host, names: readonly string[], options: BenchCommandOptions): Promise<void> {
  const { layers, engine, small, json, report } = options
  const { drawRecord, runBenches, svgReport } = await loadBench()
  const records: BenchRecord[] = []
  const running = runBenches({
    names,
    layers: layers === undefined ? undefined : await readTable(layers),
    engine,
    small,
    onBench: (name, question) => host.writeError(`\n${name}: ${question}\n`),
    onNote: (text) => host.writeError(`  (${text})\n`),
  })
  for await (const record of running) {
    records.push(record)
    if (json !== true) await host.writeOut(`${drawRecord(record)}\n`)
  }
  if (json === true) await host.writeOut(`${JSON.stringify(records, undefined, 1)}\n`)
  if (report === undefined) return
  const path = report === true ? REPORT_FILE : report
  await writeFile(path, svgReport(records, `blockstrata on Node ${process.versions.node}`))
  host.writeError(`${path}\n`)
}

async function loadBench(): Promise<typeof import("@blockstrata/bench")> {
  try {
    return await import("@blockstrata/bench")
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) throw error
    throw new VerbFailure("the package @blockstrata/bench is not installed: npm install @blockstrata/bench", 1)
  }
}
