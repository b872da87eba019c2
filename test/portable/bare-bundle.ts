import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createContext, Script } from "node:vm"
import { rolldown } from "rolldown"
import { runProcess } from "../process.ts"

const ROOT = fileURLToPath(new URL("../../", import.meta.url))

/** A script without imports, and what it would have had to import from outside. */
export interface BareBundle {
  readonly code: string
  readonly imports: readonly string[]
}

/**
 * Bundles a module of this folder with all that it imports, as for a browser: the packages' own `exports` and `imports` are
 * asked without the condition `node`, so that the portable engine is taken. Builds the packages first if needed.
 */
export async function bundleBare(entry: string): Promise<BareBundle> {
  const built = await runProcess(process.execPath, [join(ROOT, "scripts", "build.mjs")], ROOT)
  if (built.status !== 0) throw new Error(built.stdout + built.stderr)
  const bundle = await rolldown({
    input: join(import.meta.dirname, entry),
    platform: "neutral",
    resolve: { conditionNames: ["browser", "import", "default"] },
    treeshake: false, // what is imported must run, used or not
    logLevel: "silent",
  })
  const { output } = await bundle.generate({ format: "iife", name: "bare", exports: "named" })
  await bundle.close()
  const [chunk] = output
  return { code: chunk.code, imports: [...chunk.imports, ...chunk.dynamicImports] }
}

/** Runs a bundle where there is JavaScript and nothing else: no Node, no browser, not even TextEncoder. What it exports. */
export function runBare(bundle: BareBundle): unknown {
  const context = createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } })
  return new Script(`${bundle.code}\nbare`).runInContext(context)
}
