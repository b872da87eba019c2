import { existsSync, readFileSync } from "node:fs"
import { findTool } from "../../bench/src/harness/tool.ts"

/** Whether `kernel-oracle` can work on this machine: a few files are looked at, and nothing is started. */
export function isOracleAble(): boolean {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : ""
  // Of Debian 12 the kernel is 6.1, which is what the tests speak of.
  const isDebian12 = /^VERSION_CODENAME=bookworm$/m.test(release) && /^ID=debian$/m.test(release)
  return isDebian12 && process.arch === "x64" && process.getuid?.() === 0 && findTool("apt-get") !== undefined
}
