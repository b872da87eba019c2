// Compiles and bundles the packages when a source, a manifest or a tsconfig is newer than the last build, and does nothing otherwise.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { bundle } from "./bundle.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const packages = join(root, "packages")
/** The folders of everything that is compiled. */
const listFolders = () => [...readdirSync(packages).map((name) => join(packages, name)), join(root, "bench")]
const stamp = join(root, ".cache", "built")

/** Builds if needed; whether it had to. Throws if the compiler reports errors. */
export async function build() {
  const folders = listFolders().filter((folder) => existsSync(join(folder, "tsconfig.json")))
  if (isFresh(folders)) return false
  const started = new Date()
  for (const folder of folders) prune(folder)
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc")
  const { status, error } = spawnSync(process.execPath, [compiler, "-b", "tsconfig.build.json"], {
    cwd: root,
    stdio: "inherit",
  })
  if (error) throw error
  if (status !== 0) throw new Error("tsc -b failed")
  for (const folder of folders) await bundle(folder)
  mkdirSync(join(root, ".cache"), { recursive: true })
  writeFileSync(stamp, "")
  utimesSync(stamp, started, started) // what was edited during the build is newer than this
  return true
}

function isFresh(folders) {
  if (!existsSync(stamp) || !folders.every((folder) => existsSync(join(folder, "dist", ".tsbuildinfo")))) return false
  const built = statSync(stamp).mtimeMs
  const inputs = ["tsconfig.base.json", "tsconfig.build.json", "package-lock.json"].map((name) => join(root, name))
  for (const folder of folders) {
    inputs.push(join(folder, "package.json"), join(folder, "tsconfig.json"))
    for (const path of walk(join(folder, "src"))) if (!path.endsWith(".test.ts")) inputs.push(path)
  }
  return inputs.every((path) => !existsSync(path) || statSync(path).mtimeMs < built)
}

/** Removes what was compiled from a source that is gone, so that nothing stale is imported or packed. */
function prune(folder) {
  const dist = join(folder, "dist")
  if (!existsSync(dist)) return
  for (const path of walk(dist)) {
    const stem = path.slice(dist.length + 1).replace(/\.(js|d\.ts)$/, "")
    if (/\.(js|d\.ts)$/.test(path) && !existsSync(join(folder, "src", `${stem}.ts`))) rmSync(path)
  }
}

/** Every file under a folder. */
function* walk(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else yield path
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await build()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
