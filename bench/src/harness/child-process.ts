import { spawn } from "node:child_process"

/** Runs a program to its end. What it printed on stdout. @throws Error with what it printed on stderr if it failed. */
export function runChild(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    let errors = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text))
    child.on("error", reject)
    child.on("close", (status) => {
      if (status === 0) resolve(output)
      else reject(new Error(`${program} ${args[0] ?? ""}: ended with ${status}: ${errors.trim()}`))
    })
  })
}
