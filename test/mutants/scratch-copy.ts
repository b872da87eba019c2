import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { NOT_COMMITTED, ROOT } from "../tidy/project-file.ts"
import { type Mutant, mutate } from "./mutant.ts"

/** A copy of the project in a folder of its own, whose tests run on its own sources. */
export interface ScratchCopy {
  readonly folder: string
  /** For what its tests make: removed with the copy, also when a test was killed. */
  readonly temporary: string
  /** Puts the mutant in, calls, and puts the source back, whatever happened. */
  withMutant<T>(mutant: Mutant, work: () => Promise<T>): Promise<T>
  remove(): void
}

/** Copies what is committed, and links to the libraries that are installed. */
export function scratchCopy(): ScratchCopy {
  // Real paths: a module that is reached by two names would be two modules.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "mutants-")))
  const temporary = join(folder, "tmp")
  cpSync(ROOT, folder, { recursive: true, filter: (path) => !NOT_COMMITTED.has(basename(path)) })
  mkdirSync(temporary)
  linkLibraries(folder)
  return {
    folder,
    temporary,
    async withMutant(mutant, work) {
      const path = join(folder, mutant.file)
      const source = readFileSync(path, "utf8")
      writeFileSync(path, mutate(source, mutant))
      try {
        return await work()
      } finally {
        writeFileSync(path, source)
      }
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** Each library by a link of its own, for the project's packages must be the copy's, not those of the original. */
function linkLibraries(folder: string): void {
  const installed = join(ROOT, "node_modules")
  const target = join(folder, "node_modules")
  mkdirSync(target)
  for (const name of readdirSync(installed)) {
    if (/^(\..*|@?blockstrata)$/.test(name)) continue
    symlinkSync(join(installed, name), join(target, name))
  }
}
