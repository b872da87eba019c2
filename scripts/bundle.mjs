// Writes each package's entries as a few files beside what the compiler wrote: a program that starts loads some twenty
// files instead of some two hundred. Entries are what the manifest names, and each keeps its path:
// `./dist/bundle/node/index.js` is the bundle of `dist/node/index.js`. Packages stay separate, and so do the choices that
// `imports` makes.
import { existsSync, readFileSync, rmSync } from "node:fs"
import { basename, dirname, join } from "node:path"

const BUNDLE = "./dist/bundle/"
/** What is imported by a name (`node:fs`, `lru-cache`, `#files`) and not by its place, on any system. */
const NAMED = /^(?!\.|\/|[A-Za-z]:[\\/])/
/** Programs that a package starts as threads. They stand at the top, beside the chunks, whence they are started. */
const THREADS = { "@blockstrata/primitives": ["node/cipher-thread.js"] }

/** Bundles what a compiled package's manifest names under `dist/bundle`, if it names anything there. */
export async function bundle(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const sources = new Map()
  for (const target of targetsOf([manifest.exports, manifest.imports])) {
    if (target.startsWith(BUNDLE)) sources.set(target.slice(BUNDLE.length), target.slice(BUNDLE.length))
  }
  for (const thread of THREADS[manifest.name] ?? []) sources.set(basename(thread), thread)
  const dir = join(folder, BUNDLE)
  rmSync(dir, { recursive: true, force: true })
  if (sources.size === 0) return
  const input = {}
  for (const [name, source] of sources) {
    const path = join(folder, "dist", source)
    if (!existsSync(path)) throw new Error(`${manifest.name}: ${source}: named by the manifest, not compiled`)
    input[name.replace(/\.js$/, "")] = path
  }
  const { rolldown } = await import("rolldown") // this file is also loaded where nothing is installed yet
  const build = await rolldown({ input, external: NAMED, platform: "neutral" })
  const { output } = await build.write({ dir, format: "esm", chunkFileNames: "chunk-[hash].js" })
  await build.close()
  for (const { fileName, code } of output) checkThreads(join(dir, dirname(fileName)), code)
}

function* targetsOf(value) {
  if (typeof value === "string") yield value
  else if (value) for (const inner of Object.values(value)) yield* targetsOf(inner)
}

/** The bundler leaves a thread's address alone: it must hold where the code that starts the thread came to stand. */
function checkThreads(folder, code) {
  for (const [, name] of code.matchAll(/new URL\("([^"]+\.js)", import\.meta\.url\)/g)) {
    if (!existsSync(join(folder, name))) throw new Error(`${name}: not beside the code that starts it`)
  }
}
