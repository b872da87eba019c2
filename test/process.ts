import { spawn } from "node:child_process"

/** How a program ended. */
export interface ProcessResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end; other tests go on meanwhile. Rejects only if it cannot be started. */
export function runProcess(program: string, args: readonly string[], cwd: string): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
    child.on("error", reject)
    child.on("close", (status) => resolve({ status, stdout, stderr }))
  })
}
