import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"

/** As a shell tells of a process that SIGINT ended. */
const INTERRUPTED_STATUS = 130

/** A fresh folder for the time that `use` takes; whatever happens, Ctrl-C included, nothing is left behind. */
export async function* inScratchFolder<T>(
  parent: string,
  use: (folder: string) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const folder = mkdtempSync(join(parent, "blockstrata-bench-"))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const interrupt = (): void => {
    remove()
    process.exit(INTERRUPTED_STATUS)
  }
  process.once("SIGINT", interrupt)
  process.once("SIGTERM", interrupt)
  try {
    yield* use(folder)
  } finally {
    process.off("SIGINT", interrupt)
    process.off("SIGTERM", interrupt)
    remove()
  }
}
