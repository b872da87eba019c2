/** What a verb may touch of the process, so that tests can be the process. */
export interface Host {
  readonly stdin: AsyncIterable<Uint8Array>
  /** Resolves when the bytes are taken: a slow reader slows the verb down. */
  writeOut(bytes: Uint8Array | string): Promise<void>
  writeError(text: string): void
  /** A terminal can be asked and shown progress. */
  readonly isTerminal: boolean
}

/** The process itself, for its whole life: a reader that goes away ends a verb, and not the process with a stack trace. */
export function processHost(): Host {
  // A failed write of stdout rejects its `writeOut`; one of stderr leaves nobody to tell.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
  return {
    stdin: process.stdin,
    writeOut: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
      }),
    writeError: (text) => void process.stderr.write(text),
    isTerminal: process.stdin.isTTY && process.stderr.isTTY,
  }
}
