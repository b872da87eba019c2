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

/** The exit status that tells of an error. */
export function exitStatus(error: unknown): number {
  if (error instanceof VerbFailure) return error.status
  if (error instanceof BlockError) return isHostFailure(error.cause) ? 4 : STATUS_OF[error.code]
  return isHostFailure(error) ? 4 : 1
}

/** A path that is absent, forbidden or no file: the host's own error, with its name for it. */
export function isHostFailure(error: unknown): boolean {
  return error instanceof Error && "syscall" in error
}

/** An error and what it stands on, from the top of the stack to the bottom. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof BlockError)) return error instanceof Error ? error.message : String(error)
  const below = error.cause instanceof Error ? `\n  below: ${describeFailure(error.cause)}` : ""
  return `${error.message} [${error.code}]${below}`
}
