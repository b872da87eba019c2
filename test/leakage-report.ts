import { type LeakageReport, measureLeakage, type Workload } from "@blockstrata/testkit"
import { type LeakageCase, type LeakageStack, leakageCases, leakageStacks } from "./leakage-stack.ts"

/** A few blocks again and again, or all over the device: what every meter must find where addresses are not hidden. */
const CONTROL: readonly Workload[] = [3, Number.POSITIVE_INFINITY].map((blockCountMax) => ({
  name: `among ${blockCountMax} blocks`,
  async run({ device, random }) {
    const blockCount = Math.min(blockCountMax, device.size / device.blockSize)
    for (let round = 0; round < 24; round++)
      await device.write(random.below(blockCount) * device.blockSize, random.bytes(device.blockSize))
  },
}))

/** Measures one case on one stack; the name of the report says both. */
export function leakageReport(
  { name, create, prepare }: LeakageStack,
  leakageCase: LeakageCase | "control",
  { seed, runs }: { readonly seed: number; readonly runs: number },
): Promise<LeakageReport> {
  const { secret, workloads } = leakageCase === "control" ? { secret: "control", workloads: CONTROL } : leakageCase
  return measureLeakage({ name: `${name}: ${secret}`, create, prepare, workloads, seed, runs })
}

/** The observers that were shown to tell the workloads apart, in short. */
export function observersOf({ observers }: LeakageReport): string {
  return observers
    .filter(({ verdict }) => verdict === "leaks")
    .map(({ observer }) => observer.replace(/^.* of /, ""))
    .join(", ")
}

/** A Markdown table: a row for each secret, a column for each stack, and in a cell who sees it. */
export function drawLeakage(reports: readonly LeakageReport[]): string {
  const names = leakageStacks().map(({ name }) => name)
  const byName = new Map(reports.map((report) => [report.name, report]))
  const rows = leakageCases.map(({ threat, secret }) => [
    `${threat}: ${secret}`,
    ...names.map((name) => {
      const report = byName.get(`${name}: ${secret}`)
      return report === undefined ? "-" : observersOf(report) || "not shown"
    }),
  ])
  const head = ["secret", ...names]
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")
}
