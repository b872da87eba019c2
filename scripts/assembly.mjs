// Compiles packages/primitives/assembly/*.ts and embeds each as base64 in packages/primitives/src/kernel/*-binary.ts.
// Run after a change of a source; a test compiles again and compares.
import { readdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import asc from "assemblyscript/asc"

const sources = fileURLToPath(new URL("../packages/primitives/assembly/", import.meta.url))
const kernels = fileURLToPath(new URL("../packages/primitives/src/kernel/", import.meta.url))
// No runtime, no memory of its own: a kernel works on the memory of its engine, at the addresses that it is given.
const OPTIONS = [
  "--runtime",
  "stub",
  "--importMemory",
  "--enable",
  "simd",
  "-O3",
  "--noAssert",
  "--converge",
  "--use",
  "abort=",
]

/** The names of the kernels. */
export const kernelNames = readdirSync(sources)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3))
  .sort()

/** The text of the module that embeds a kernel, compiled now. */
export async function compileKernel(name) {
  const files = new Map()
  const { error, stderr } = await asc.main([`${name}.ts`, "--outFile", "kernel.wasm", ...OPTIONS], {
    readFile: (path, base) => readSource(path, base),
    writeFile: (path, contents) => void files.set(path, contents),
    listFiles: () => [],
  })
  if (error) throw new Error(`${name}: ${error.message}\n${stderr.toString()}`)
  const base64 = Buffer.from(files.get("kernel.wasm")).toString("base64")
  return [
    `// Compiled from assembly/${name}.ts by scripts/assembly.mjs. Not edited.`,
    `export const ${constantOf(name)}: string =`,
    `  "${base64}"`,
    "",
  ].join("\n")
}

export const pathOf = (name) => `${kernels}${name}-binary.ts`

const constantOf = (name) => `${name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())}Binary`

async function readSource(path) {
  const { readFileSync, existsSync } = await import("node:fs")
  return existsSync(sources + path) ? readFileSync(sources + path, "utf8") : null
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of kernelNames) writeFileSync(pathOf(name), await compileKernel(name))
}
