import { type BigIntStats, constants } from "node:fs"
import { dirname } from "node:path"
import { BlockError } from "../block-error.ts"
import { claimMedium } from "./claim.ts"
import { errnoOf, openError } from "./errno.ts"
import type { FileHost } from "./file-host.ts"
import { mediumSizeBytes } from "./medium-size.ts"

/** An open medium. Whoever holds it closes it, once. */
export interface OpenFile {
  readonly fd: number
  readonly path: string
  readonly isBlockSpecial: boolean
  /** Bytes, as found when opened. */
  readonly sizeBytes: number
  /** Closes the descriptor and gives the claim back, whatever the system says. */
  close(): Promise<void>
}

/** Opens a file or block special file that exists. @throws BlockError; nothing stays open then. */
export async function openExisting(host: FileHost, path: string, isWritable: boolean): Promise<OpenFile> {
  try {
    // The kind is looked at before opening: opening a FIFO can hang, and opening a tape or a terminal has effects.
    const { isBlockSpecial } = checkKind(await host.stat(path), path, host.platform)
    const access = isWritable ? constants.O_RDWR : constants.O_RDONLY
    // On a block special file O_EXCL without O_CREAT claims the device: EBUSY if it is mounted or claimed otherwise.
    const exclusive = isWritable && isBlockSpecial && host.platform === "linux" ? constants.O_EXCL : 0
    return await hold(host, await host.open(path, access + exclusive), path, isWritable)
  } catch (error) {
    throw openError(error, path, isWritable)
  }
}

/**
 * Makes a sparse file of `sizeBytes`; its name and size are durable when this settles.
 *
 * @throws BlockError `BUSY` if the path exists; nothing is left behind on failure.
 */
export async function createFile(host: FileHost, path: string, sizeBytes: number): Promise<OpenFile> {
  try {
    const fd = await host.open(path, constants.O_RDWR + constants.O_CREAT + constants.O_EXCL)
    const file = await hold(host, fd, path, true)
    try {
      await host.truncate(fd, sizeBytes)
      // From here on fdatasync is enough: the size never changes again.
      await host.syncAll(fd)
      await syncDirectory(host, dirname(path))
      return { ...file, sizeBytes }
    } catch (error) {
      await file.close().catch(ignoreErrno)
      await host.unlink(path).catch(ignoreErrno)
      throw error
    }
  } catch (error) {
    throw openError(error, path, true)
  }
}

/** Takes over an open descriptor: checks, claims, measures. Closes it on failure. */
async function hold(host: FileHost, fd: number, path: string, isWritable: boolean): Promise<OpenFile> {
  let release = () => {}
  const close = async () => {
    try {
      await host.close(fd)
    } finally {
      release()
    }
  }
  try {
    const stats = await host.fstat(fd)
    // Once more, for what was opened: the path may have been replaced in between.
    const { isBlockSpecial } = checkKind(stats, path, host.platform)
    if (isWritable) release = claimMedium(stats, path)
    return { fd, path, isBlockSpecial, sizeBytes: await mediumSizeBytes(host, stats, path), close }
  } catch (error) {
    await close().catch(ignoreErrno)
    throw error
  }
}

/** @throws BlockError unless this is a regular file or a block special file. */
function checkKind(stats: BigIntStats, path: string, platform: string): { isBlockSpecial: boolean } {
  if (stats.isFile()) return { isBlockSpecial: false }
  if (stats.isBlockDevice()) return { isBlockSpecial: true }
  const quoted = JSON.stringify(path)
  if (stats.isCharacterDevice()) {
    const message = `file: ${quoted} is a character special file (${platform}): expected a file or block special file`
    throw new BlockError("UNSUPPORTED", message, { device: "file", operation: "open" })
  }
  const kind = stats.isDirectory()
    ? "a directory"
    : stats.isFIFO()
      ? "a FIFO"
      : stats.isSocket()
        ? "a socket"
        : "of no known kind"
  throw new BlockError("INVALID", `file: ${quoted} is ${kind}: expected a file or block special file`, {
    device: "file",
    operation: "open",
  })
}

/** Makes the name of a new file durable. Windows cannot open directories and needs none of it. */
async function syncDirectory(host: FileHost, path: string): Promise<void> {
  if (host.platform === "win32") return
  const fd = await host.open(path, constants.O_RDONLY)
  try {
    await host.syncAll(fd)
  } finally {
    await host.close(fd)
  }
}

/** For a clean-up after a failure that is reported: a second system error adds nothing. */
function ignoreErrno(error: unknown): void {
  if (errnoOf(error) === undefined) throw error
}
