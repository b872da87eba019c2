import {
  type BigIntStats,
  close,
  fdatasync,
  fstat,
  fsync,
  ftruncate,
  open,
  read,
  readFile,
  readSync,
  stat,
  statfs,
  unlink,
  write,
  writeSync,
} from "node:fs"
import { promisify } from "node:util"

/** One positional read or write of at most `length` bytes of `bytes`, from index `start`. Returns how many it moved. */
type SyncTransfer = (fd: number, bytes: Uint8Array, start: number, length: number, position: number) => number
type ThreadTransfer = (
  fd: number,
  bytes: Uint8Array,
  start: number,
  length: number,
  position: number,
) => Promise<number>

/**
 * What a file device asks of the operating system. The same object stands in for a failing one in tests. Everything
 * rejects or throws with Node's system errors (`code`, `errno`, `syscall`).
 */
export interface FileHost {
  readonly platform: string
  stat(path: string): Promise<BigIntStats>
  open(path: string, flags: number): Promise<number>
  fstat(fd: number): Promise<BigIntStats>
  truncate(fd: number, sizeBytes: number): Promise<void>
  unlink(path: string): Promise<void>
  /** A small text file of the system, such as those below /sys. */
  readText(path: string): Promise<string>
  /** The kernel's magic number of the file system that holds `path`. */
  fileSystemMagic(path: string): Promise<number>
  readonly readSync: SyncTransfer
  readonly writeSync: SyncTransfer
  readonly read: ThreadTransfer
  readonly write: ThreadTransfer
  /** fdatasync. */
  syncData(fd: number): Promise<void>
  /** fsync. */
  syncAll(fd: number): Promise<void>
  close(fd: number): Promise<void>
}

const openPath: (path: string, flags: number, mode: number) => Promise<number> = promisify(open)
const readWholeFile: (path: string, encoding: "utf8") => Promise<string> = promisify(readFile)
const statFileSystem = promisify(statfs)
const statPath = promisify(stat)
const statDescriptor = promisify(fstat)

/** Mode of created files, before the umask: as any tool that makes an image. */
const CREATE_MODE = 0o666

/** The system that this process runs on. */
export const nodeFileHost: FileHost = {
  platform: process.platform,
  stat: (path) => statPath(path, { bigint: true }),
  open: (path, flags) => openPath(path, flags, CREATE_MODE),
  fstat: (fd) => statDescriptor(fd, { bigint: true }),
  truncate: promisify(ftruncate),
  unlink: promisify(unlink),
  readText: (path) => readWholeFile(path, "utf8"),
  fileSystemMagic: async (path) => (await statFileSystem(path)).type,
  readSync,
  writeSync,
  // Not promisified: that would allocate a result object for each request.
  read: (fd, bytes, start, length, position) =>
    new Promise((resolve, reject) => {
      read(fd, bytes, start, length, position, (error, count) => (error === null ? resolve(count) : reject(error)))
    }),
  write: (fd, bytes, start, length, position) =>
    new Promise((resolve, reject) => {
      write(fd, bytes, start, length, position, (error, count) => (error === null ? resolve(count) : reject(error)))
    }),
  syncData: promisify(fdatasync),
  syncAll: promisify(fsync),
  close: promisify(close),
}
