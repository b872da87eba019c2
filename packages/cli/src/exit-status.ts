import { BlockError, type BlockErrorCode } from "blockstrata"

/** As cryptsetup ends: 0 done, 1 wrong parameters, 2 bad passphrase or data, 4 wrong device or file, 5 busy or exists. */
const STATUS_OF: Readonly<Record<BlockErrorCode, number>> = {
  INVALID: 1,
  UNSUPPORTED: 1,
  REFUSED: 1,
  WRONG_KEY: 2,
  INTEGRITY: 2,
  STALE: 2,
  CORRUPT: 4,
  IO: 4,
  READ_ONLY: 4,
  NO_SPACE: 4,
  CLOSED: 4,
  BUSY: 5,
}

/** A failure with words and an exit status of its own. */
export class VerbFailure extends Error {
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** As a shell tells of a process that SIGPIPE ended: whoever read the output wanted no more of it. */
const CLOSED_OUTPUT_STATUS = 141

/** The exit status that tells of an error. */
export function exitStatus(error: unknown): number {
  if (isClosedOutput(error)) return CLOSED_OUTPUT_STATUS
  if (error instanceof VerbFailure) return error.status
  if (error instanceof BlockError) return isWrongFile(error) ? 4 : STATUS_OF[error.code]
  return isHostFailure(error) ? 4 : 1
}

/** The reader of stdout has gone: nothing went wrong, and nobody is there to be told. */
export function isClosedOutput(error: unknown): boolean {
  return isHostFailure(error) && "code" in error && error.code === "EPIPE"
}

/** What could not be opened, because the host said no or because it is no file; a busy one has a status of its own. */
function isWrongFile({ cause, code, device, operation }: BlockError): boolean {
  return code !== "BUSY" && (isHostFailure(cause) || (device === "file" && operation === "open"))
}

/** A path that is absent, forbidden or no file: the host's own error, with its name for it. */
export function isHostFailure(error: unknown): error is Error {
  return error instanceof Error && "syscall" in error
}

/** An error and what it stands on, from the top of the stack to the bottom. What the top repeats is said once. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof BlockError)) return error instanceof Error ? error.message : String(error)
  const lines = [`${error.message} [${error.code}]`]
  for (let [above, below]: [Error, unknown] = [error, error.cause]; below instanceof Error; ) {
    if (!above.message.endsWith(below.message.replace(/^table: /, "")))
      lines.push(`  below: ${below.message}${below instanceof BlockError ? ` [${below.code}]` : ""}`)
    ;[above, below] = [below, below.cause]
  }
  return lines.join("\n")
}
