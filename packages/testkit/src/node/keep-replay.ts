import { mkdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface KeepReplayOptions {
  /** Begins the name of the file; letters, digits and dashes are kept. */
  readonly name: string
  /** What `BLOCKSTRATA_REPLAYS` says, if not given; else a folder in that of the system for temporary files. */
  readonly folder?: string | undefined
}

/**
 * Runs an exploration or a simulation; if it fails with a replay, that is written to a file, which the error then names.
 * @returns what `run` returns. Any other failure passes as it is.
 */
export async function keepReplay<Result>(
  { name, folder = defaultFolder() }: KeepReplayOptions,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Error && "replay" in error && typeof error.replay === "string") {
      const path = join(folder, `${name.replaceAll(/[^A-Za-z0-9]+/g, "-")}-${textHash(error.replay)}.json`)
      mkdirSync(folder, { recursive: true })
      writeFileSync(path, error.replay)
      error.message += `\n  replay: ${path}`
    }
    throw error
  }
}

function defaultFolder(): string {
  return process.env["BLOCKSTRATA_REPLAYS"] ?? join(tmpdir(), "blockstrata-replays")
}

/** The same failure has the same file. */
function textHash(text: string): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  return hash.toString(16).padStart(8, "0")
}
