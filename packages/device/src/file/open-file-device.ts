import type { BlockDevice } from "../block-device.ts"
import { nodeFileHost } from "./file-host.ts"
import { koffiHoleLoader } from "./hole-calls.ts"
import { openOnHost } from "./host-opening.ts"
import type { IoMode } from "./io-mode.ts"

export interface OpenFileDeviceOptions {
  /** Nothing is ever written, and a second opening is allowed; false if not given. */
  readonly readOnly?: boolean | undefined
  /** Bytes; 512 if not given. The end of a file that is not a multiple of it is out of reach. */
  readonly blockSize?: number | undefined
  /**
   * Bytes of tag per block: a device with inline metadata. All data comes first, the tags after it, as qemu stores an
   * NVMe namespace with `ms=`; the file holds as many blocks as fit with their tags.
   */
  readonly tagSize?: number | undefined
  /** Makes a sparse file of `size`; a path that exists is `BUSY`. */
  readonly create?: boolean | undefined
  /** Bytes of the device that is made; a multiple of `blockSize`. The tags come on top. */
  readonly size?: number | undefined
  /** `auto` if not given; `IoMode` says what each costs. */
  readonly io?: IoMode | undefined
}

/**
 * Opens a regular file or, on Linux, a block special file as a device.
 *
 * Holes of a regular file are reported, and made by `discard`, by way of the optional peer dependency `koffi` on Linux;
 * without it an empty file is one hole, any other counts as allocated, and `discard` is absent. A tagged device and a
 * block special file state neither.
 *
 * A medium is opened for writing once: a second time in this process, through whatever path or link, is `BUSY`. A block
 * special file is claimed from the kernel, so a mounted one is `BUSY` too. Other processes that open the same file are
 * not noticed.
 *
 * The size is taken once. A file that shrinks while open fails with `IO` where it ends.
 *
 * @throws BlockError `INVALID` if the path names nothing, a directory, a FIFO or a socket; `UNSUPPORTED` for character
 * special files and disks whose size the system does not tell; `READ_ONLY` if it may not be written but was to be;
 * `BUSY`; `NO_SPACE` if it cannot be made; else `IO`. The system's error is the `cause`.
 * @throws TypeError or RangeError on options that contradict each other.
 */
export function openFileDevice(path: string, options: OpenFileDeviceOptions = {}): Promise<BlockDevice> {
  return openOnHost(nodeFileHost, koffiHoleLoader, path, options)
}
