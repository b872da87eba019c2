import { BlockError, type BlockErrorCode, type BlockErrorPlace } from "../block-error.ts"

/** What the system's error names mean, wherever they come from. What is not listed is `IO`. */
const CODES: Readonly<Record<string, BlockErrorCode>> = {
  EBUSY: "BUSY", // mounted, claimed by another device, or held exclusively
  ETXTBSY: "BUSY",
  EEXIST: "BUSY", // as cryptsetup, which has one status for "busy or exists"
  ENOSPC: "NO_SPACE",
  EDQUOT: "NO_SPACE",
  EFBIG: "NO_SPACE",
  EROFS: "READ_ONLY",
  EOPNOTSUPP: "UNSUPPORTED",
  ENOTSUP: "UNSUPPORTED",
}

/** Paths that name nothing which could be a device: Linux refuses a table line with such an operand. */
const BAD_PATHS: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENOTDIR",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "ENXIO",
  "ENODEV",
  "EINVAL",
])

/** The name of a system error (`ENOSPC`), or undefined if `error` is something else: a bug, a failed check. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("errno" in error) || !("code" in error)) return undefined
  return typeof error.errno === "number" && typeof error.code === "string" ? error.code : undefined
}

/** A failed request as a `BlockError` with the system's error as its cause; anything but a system error is passed on. */
export function requestError(error: unknown, what: string, place: BlockErrorPlace = {}): unknown {
  const errno = errnoOf(error)
  if (errno === undefined) return error
  const at = place.offset === undefined ? "" : ` at offset ${place.offset}`
  return new BlockError(CODES[errno] ?? "IO", `file: ${what} failed${at}: ${errno}`, { ...place, cause: error })
}

/**
 * A failed opening. A path that names no file or device is `INVALID`; one that may not be written is `READ_ONLY` where
 * writing was asked for.
 */
export function openError(error: unknown, path: string, isWritable: boolean): unknown {
  const errno = errnoOf(error)
  if (errno === undefined) return error
  const isDenied = errno === "EACCES" || errno === "EPERM"
  const code = BAD_PATHS.has(errno) ? "INVALID" : isDenied && isWritable ? "READ_ONLY" : (CODES[errno] ?? "IO")
  return new BlockError(code, `file: cannot open ${JSON.stringify(path)}: ${errno}`, {
    device: "file",
    operation: "open",
    cause: error,
  })
}
