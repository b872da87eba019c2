import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runStrata } from "@blockstrata/cli"

export interface StrataRun {
  readonly status: number
  readonly out: Uint8Array
  readonly text: string
  readonly error: string
}

/** Runs `strata` in this process. */
export async function strata(args: readonly string[], input: readonly Uint8Array[] = []): Promise<StrataRun> {
  const pieces: Uint8Array[] = []
  let error = ""
  const status = await runStrata(args, {
    stdin: streamOf(input),
    writeOut: async (bytes) =>
      void pieces.push(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes.slice()),
    writeError: (text) => {
      error += text
    },
    isTerminal: false,
  })
  const out = new Uint8Array(Buffer.concat(pieces))
  return { status, out, text: new TextDecoder().decode(out), error }
}

async function* streamOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

/** A temporary folder; the caller removes it. */
export function scratchFolder(): {
  readonly folder: string
  readonly path: (name: string) => string
  readonly remove: () => void
} {
  const folder = mkdtempSync(join(tmpdir(), "strata-"))
  return { folder, path: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true }) }
}
