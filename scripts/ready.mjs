// Runs before `npm start` and `npm test`: installs and builds when that is needed, and costs a few milliseconds when not.
// Needs nothing but Node and the npm that started it.
import { spawnSync } from "node:child_process"
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "./build.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const lock = join(root, "package-lock.json")
const installed = join(root, "node_modules", ".package-lock.json")

try {
  checkNode()
  if (!isInstalled()) install()
  await build()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    throw new Error(`Node ${process.versions.node}: 20.19 or newer is needed`)
}

/** Whether node_modules holds what package-lock.json asks for; contents are compared, as times say little after a checkout. */
function isInstalled() {
  if (!existsSync(installed)) return false
  if (!existsSync(lock)) return true
  const wanted = JSON.parse(readFileSync(lock, "utf8")).packages
  const present = JSON.parse(readFileSync(installed, "utf8")).packages
  return Object.entries(wanted)
    .filter(([path]) => path.startsWith("node_modules/"))
    .every(([path, entry]) => {
      const found = present[path]
      // Optional packages are those of other systems: they are rightly absent.
      return found ? found.version === entry.version && found.link === entry.link : entry.optional || entry.devOptional
    })
}

/** A home that cannot be written, as in some containers, has no room for npm's cache: then it stands here. */
function cacheOption() {
  const cache = process.env.npm_config_cache
  if (!cache) return []
  try {
    mkdirSync(cache, { recursive: true })
    accessSync(cache, constants.W_OK)
    return []
  } catch {
    return ["--cache", join(root, ".cache", "npm")]
  }
}

function install() {
  const npm = process.env.npm_execpath
  if (!npm) throw new Error("dependencies are missing: run npm install")
  console.log("installing dependencies ...")
  // Not `npm ci`: it refuses a lockfile that lacks the optional packages of other systems. The locked versions are taken,
  // and the lockfile stays as it is.
  const args = [npm, "install", "--no-save", "--loglevel=error", ...cacheOption()]
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" })
  if (error) throw error
  if (status !== 0) throw new Error("npm install failed")
}
