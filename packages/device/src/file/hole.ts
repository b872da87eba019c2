import type { BlockStatus } from "../block-device.ts"
import { BlockError } from "../block-error.ts"
import { dataRun } from "./data-run.ts"
import { errnoOf, requestError } from "./errno.ts"
import type { FileHost } from "./file-host.ts"
import type { HoleLoader } from "./hole-calls.ts"

/**
 * Magic numbers of file systems that punch holes (fallocate(2), statfs(2)) and whose block count is 0 only where
 * nothing is stored: ext2/3/4, XFS, Btrfs, tmpfs, F2FS. On others nothing is stated.
 */
const KNOWN_FILE_SYSTEMS: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0xf2f52010])

/** fallocate(2). */
const KEEP_SIZE = 1
const PUNCH_HOLE = 2
const ZERO_RANGE = 16

export interface FileHoles {
  /** Space can be given up: the file system is known to do it, and the calls are there. */
  readonly canPunch: boolean
  status(offset: number, length: number): Promise<BlockStatus[]>
  /** Gives up the space; the range then reads as zeroes. */
  punch(offset: number, length: number): Promise<void>
  /** Makes the range zeroes, keeping the space unless `mayDiscard`. False: the file system cannot; nothing changed. */
  zero(offset: number, length: number, mayDiscard: boolean): Promise<boolean>
}

/** Bytes in which the system counts a file's blocks. */
const STAT_BLOCK_SIZE = 512n

export interface FileHolesOptions {
  readonly host: FileHost
  readonly fd: number
  readonly path: string
  readonly blockSize: number
  readonly loader: HoleLoader
  /** fallocate on the caller's thread: a punch takes as long as there is to free (0.2 s a GiB). */
  readonly isSync: boolean
}

/** What a regular file knows of its holes. Asks only what is cheap: the native calls are loaded when first needed. */
export async function fileHoles(options: FileHolesOptions): Promise<FileHoles> {
  const { host, fd, path, blockSize, loader, isSync } = options
  const isKnown = host.platform === "linux" && KNOWN_FILE_SYSTEMS.has(await fileSystemMagic(host, path))

  const run = dataRun()
  /** Whether the file has a block for every byte: then nothing is loaded and nothing searched. */
  let isDense: boolean | undefined

  async function hasNoHole(): Promise<boolean> {
    const { blocks, size } = await host.fstat(fd)
    return blocks * STAT_BLOCK_SIZE >= size
  }

  /** Without the calls: a file with no block at all is one hole; of any other nothing better is known than allocated. */
  async function statusByBlockCount(offset: number, length: number): Promise<BlockStatus[]> {
    const isEmpty = isKnown && (await host.fstat(fd)).blocks === 0n
    return [{ offset, length, kind: isEmpty ? "hole" : "allocated" }]
  }

  async function allocate(mode: number, offset: number, length: number, what: string): Promise<void> {
    const calls = loader.load()
    if (calls === undefined)
      throw new BlockError("UNSUPPORTED", `file: ${what}: koffi does not load`, { offset, length })
    try {
      await calls.allocate(fd, mode, offset, length, isSync)
    } catch (error) {
      throw requestError(error, what, { offset, length })
    } finally {
      run.forget()
      isDense = undefined
    }
  }

  return {
    canPunch: isKnown && loader.isInstalled(),
    async status(offset, length) {
      isDense ??= await hasNoHole()
      if (isDense) return [{ offset, length, kind: "allocated" }]
      const calls = host.platform === "linux" ? loader.load() : undefined
      if (calls === undefined) return statusByBlockCount(offset, length)
      try {
        const seek = (at: number, kind: "data" | "hole") => run.seek(calls, fd, at, kind)
        return seekStatus(seek, { offset, length }, blockSize)
      } catch (error) {
        if (errnoOf(error) === undefined) throw error
        return statusByBlockCount(offset, length)
      }
    },
    punch: (offset, length) => allocate(PUNCH_HOLE + KEEP_SIZE, offset, length, "discard"),
    async zero(offset, length, mayDiscard) {
      try {
        await allocate((mayDiscard ? PUNCH_HOLE : ZERO_RANGE) + KEEP_SIZE, offset, length, "writeZeroes")
        return true
      } catch (error) {
        if (error instanceof BlockError && error.code === "UNSUPPORTED") return false
        throw error
      }
    },
  }
}

/** 0 where the system does not tell. */
async function fileSystemMagic(host: FileHost, path: string): Promise<number> {
  try {
    return await host.fileSystemMagic(path)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return 0
  }
}

/** The holes by SEEK_DATA and SEEK_HOLE. A hole counts where it covers whole blocks. */
function seekStatus(
  seek: (offset: number, kind: "data" | "hole") => number | undefined,
  range: { offset: number; length: number },
  blockSize: number,
): BlockStatus[] {
  const end = range.offset + range.length
  const runs: { offset: number; length: number; kind: "allocated" | "hole" }[] = []
  const append = (until: number, kind: "allocated" | "hole") => {
    const last = runs.at(-1)
    const start = last === undefined ? range.offset : last.offset + last.length
    if (until <= start) return
    if (last?.kind === kind) last.length += until - start
    else runs.push({ offset: start, length: until - start, kind })
  }
  for (let at = range.offset; at < end; ) {
    const data = seek(at, "data")
    if (data === undefined || data >= end) {
      append(end, "hole")
      break
    }
    append(Math.floor(data / blockSize) * blockSize, "hole")
    const hole = seek(data, "hole") ?? end
    // At least one block further, whatever others do to the file between the two calls.
    at = Math.min(Math.max(Math.ceil(hole / blockSize), Math.floor(data / blockSize) + 1) * blockSize, end)
    append(at, "allocated")
  }
  return runs
}
