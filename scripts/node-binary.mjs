// Other Node versions: their binaries come from the package registry and are kept in .cache.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The path of a Node of this major version, installed now if it is not there yet. Needs the npm that started the script. */
export function nodeBinary(major) {
  const folder = join(root, ".cache", `node-${major}`)
  const binary = join(folder, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node")
  if (existsSync(binary)) return binary
  const npm = process.env.npm_execpath
  if (!npm) throw new Error(`start this through npm: Node ${major} is not here yet`)
  mkdirSync(folder, { recursive: true })
  spawnSync(process.execPath, [npm, "install", "--no-save", "--prefix", folder, `node@${major}`], { stdio: "inherit" })
  return binary
}
