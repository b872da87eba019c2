import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { runProcess } from "../process.ts"

const STRATA = fileURLToPath(new URL("../../packages/cli/bin/strata.js", import.meta.url))
const VOLUME = ["--table", "0 65536 linear mem:32M 0"]

/** Reads some of what `strata` prints, then goes away. */
function readSome(args: readonly string[]): Promise<{ status: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [STRATA, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    let stderr = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
    child.stdout.once("data", () => child.stdout.destroy())
    child.on("error", reject)
    child.on("close", (status) => resolve({ status, stderr }))
  })
}

describe("strata as a process", () => {
  it("ends as SIGPIPE would end it, and silently, when its reader goes away", async () => {
    expect(await readSome(["read", ...VOLUME])).toEqual({ status: 141, stderr: "" })
  })

  it.skipIf(!existsSync("/dev/full"))("says in one line that its output is full", async () => {
    const script = '"$0" "$1" read --table "0 8 zero" > /dev/full'
    const { status, stderr } = await runProcess("/bin/sh", ["-c", script, process.execPath, STRATA], ".")
    expect(stderr).toMatch(/^ENOSPC[^\n]*\n$/)
    expect(status).toBe(4)
  })

  it("tells its version, and its exit statuses in its help", async () => {
    expect((await runProcess(process.execPath, [STRATA, "--version"], ".")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect((await runProcess(process.execPath, [STRATA, "--help"], ".")).stdout).toContain("Exit status: 0 done")
  })
})
