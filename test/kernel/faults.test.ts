import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { memoryDevice } from "@blockstrata/device"
import { readWriteLog, replayWriteLog } from "@blockstrata/targets/faults"
import { beforeAll, describe, expect, inject, test } from "vitest"
import { FAULT_LINE_SIZES, FAULT_LINES, UNSUPPORTED_LINES, verdictHere } from "../interop/fault-lines.ts"
import {
  flushBeforeFua,
  KEPT_RUN,
  LOG_SIZE,
  LOGGED_SIZE,
  type LoggedRun,
  loggedRun,
  mediumBefore,
  runHere,
  sourceData,
  stepScript,
} from "../interop/logged-steps.ts"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"

const LINE_SCRIPT = `
while IFS= read -r line; do
  if dmsetup create --noudevsync x --table "$line" 2>/dev/null; then dmsetup table x; dmsetup remove --noudevsync x
  else echo refused; fi
done < /share/lines
for image in /dev/img0 /dev/img1; do echo "$((0x$(stat -L -c %t $image))):$((0x$(stat -L -c %T $image)))"; done
`

/** How the kernel printed each line, or `refused`. */
async function askLines(lines: readonly string[], accel: "tcg" | "uml"): Promise<string[]> {
  return await withFolder(async (folder) => {
    const [img0 = 0, img1 = 0] = Object.values(FAULT_LINE_SIZES)
    await writeFile(join(folder, "img0"), new Uint8Array(img0))
    await writeFile(join(folder, "img1"), new Uint8Array(img1))
    await writeFile(join(folder, "lines"), lines.map((line) => `${line}\n`).join(""))
    const answers = (await runInKernel(folder, LINE_SCRIPT, ["img0", "img1"], accel)).trimEnd().split("\n")
    const numbers = answers.splice(-2)
    const named = (word: string) => (numbers.includes(word) ? `/dev/img${numbers.indexOf(word)}` : word)
    return answers.map((answer) => answer.trimEnd().split(" ").map(named).join(" "))
  })
}

interface KernelLog {
  readonly run: LoggedRun
  readonly log: Uint8Array
  readonly medium: Uint8Array
}

/** Does the steps of each run in the kernel, on devices of its block size. */
async function askLogs(runs: readonly LoggedRun[]): Promise<KernelLog[]> {
  return await withFolder(async (folder) => {
    const images: string[] = []
    const parts: string[] = ["set -e"]
    for (const [index, run] of runs.entries()) {
      await writeFile(join(folder, `medium${index}`), mediumBefore())
      await writeFile(join(folder, `log${index}`), new Uint8Array(LOG_SIZE))
      await writeFile(join(folder, `data${index}`), sourceData(run.blockSize))
      images.push(...[`medium${index}`, `log${index}`].map((name) => `${name},bs=${run.blockSize}`))
      const table = `0 ${LOGGED_SIZE / 512} log-writes /dev/img${2 * index} /dev/img${2 * index + 1}`
      // The last flush is the one that close does here.
      const last = stepScript({ ...run, steps: [{ kind: "flush" }] }, "")
      parts.push(`dmsetup create --noudevsync x --table "${table}"`, stepScript(run, `/share/data${index}`), last)
      parts.push("dmsetup remove --noudevsync x")
    }
    await runInKernel(folder, parts.join("\n"), images)
    const read = async (name: string) => new Uint8Array(await readFile(join(folder, name)))
    const results: KernelLog[] = []
    for (const [index, run] of runs.entries()) {
      results.push({ run, log: await read(`log${index}`), medium: await read(`medium${index}`) })
    }
    return results
  })
}

describe.skipIf(ORACLE === undefined)(`lines as in Linux (${ORACLE_NEEDS})`, () => {
  const lines = FAULT_LINES.map(([line]) => line)
  const withoutDust = lines.filter((line) => !line.includes(" dust"))

  test.each([
    ["tcg", withoutDust],
    ["uml", lines],
  ] as const)("%s", async (accel, asked) => {
    const answers = await askLines(asked, accel)
    expect(answers).toHaveLength(asked.length)
    expect(answers.filter((answer) => answer !== "refused").length).toBeGreaterThan(asked.length / 4)
    const recorded = new Map(FAULT_LINES)
    for (const [index, line] of asked.entries()) {
      expect([line, answers[index]]).toEqual([line, recorded.get(line)])
      expect([line, await verdictHere(line)]).toEqual([
        line,
        UNSUPPORTED_LINES.has(line) ? "UNSUPPORTED" : answers[index],
      ])
    }
  })
})

describe.skipIf(ORACLE === undefined)(`logs as in Linux (${ORACLE_NEEDS})`, () => {
  let kernel: readonly KernelLog[] = []
  // In a log, a FUA write overtakes what no flush has followed: a replay is the device only where none does.
  const orderly = [
    flushBeforeFua(loggedRun(inject("seed"), 512, 40)),
    flushBeforeFua(loggedRun(inject("seed"), 4096, 40)),
  ]
  const runs = [...orderly, KEPT_RUN, loggedRun(inject("seed"), 512, 60), loggedRun(inject("seed"), 4096, 60)]
  beforeAll(async () => {
    kernel = await askLogs(runs)
  })

  test.each([...runs.keys()])("a log written here is the kernel's, byte for byte: run %d", async (index) => {
    const { run, log, medium } = kernel[index] as KernelLog
    const here = await runHere(run)
    expect(Buffer.compare(here.log, log)).toBe(0)
    expect(Buffer.compare(here.medium, medium)).toBe(0)
  })

  test.each([...orderly.keys()])(
    "a log that the kernel wrote is replayed to the kernel's image: run %d",
    async (index) => {
      const { run, log, medium } = kernel[index] as KernelLog
      const replayed = mediumBefore()
      const count = await replayWriteLog(memoryDevice({ bytes: log }), memoryDevice({ bytes: replayed }))
      expect(count).toBeGreaterThan(run.steps.length)
      const marks: string[] = []
      for await (const { mark } of readWriteLog(memoryDevice({ bytes: log }))) if (mark !== undefined) marks.push(mark)
      expect(marks.at(-1)).toBe("dm-log-writes-end")
      expect(Buffer.compare(replayed, medium)).toBe(0)
    },
  )
})
