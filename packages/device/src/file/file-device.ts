import type { BlockDevice } from "../block-device.ts"
import { type DeviceImplementation, defineDevice } from "../define-device.ts"
import { settleAll } from "../settle-all.ts"
import { requestError } from "./errno.ts"
import { fileFlush } from "./file-flush.ts"
import type { FileHost } from "./file-host.ts"
import { type FileArea, fileIo } from "./file-io.ts"
import { type FileHoles, fileHoles } from "./hole.ts"
import type { HoleLoader } from "./hole-calls.ts"
import { type IoMode, ioPolicy, SYNC_BYTES_MAX } from "./io-mode.ts"
import type { OpenFile } from "./open-file.ts"
import { type RequestOrder, requestOrder } from "./request-order.ts"

/** What a crash leaves old or new of a file or a disk, in bytes: one sector. */
const ATOMIC_BYTES = 512
/** Zeroes of one write at most, in bytes, where the system cannot make them itself. */
const ZEROES_BYTES_MAX = 256 * 1024

export interface FileDeviceOptions {
  readonly file: OpenFile
  readonly readOnly: boolean
  readonly blockSize: number
  readonly tagSize: number
  readonly mode: IoMode
  readonly host: FileHost
  readonly loader: HoleLoader
}

/**
 * A device over an open file, which it then owns.
 *
 * Promises: what `flush` promised survives a crash as far as the system and the medium keep fdatasync's promise; the
 * failure of one flush is that of every later write, flush and close.
 * Not promised: that other processes leave the file alone; atomicity beyond 512 bytes, and none with tags, whose blocks
 * are two writes.
 */
export async function fileDevice(options: FileDeviceOptions): Promise<BlockDevice> {
  const { file, readOnly, blockSize, tagSize, mode, host, loader } = options
  const { fd, path } = file
  const blockCount = Math.floor(file.sizeBytes / (blockSize + tagSize))
  const size = blockCount * blockSize
  const dataArea: FileArea = { startBytes: 0, unitSize: blockSize }
  const tagArea: FileArea = { startBytes: size, unitSize: tagSize }
  const io = fileIo({ host, fd, blockSize })
  const policy = ioPolicy(mode)
  const order = requestOrder()
  const flush = fileFlush(host, fd)

  /** Data and tags of a request; both are tried, so that the error names the lowest block of either. */
  function transfer(
    direction: "read" | "write",
    offset: number,
    data: Uint8Array,
    tags: Uint8Array | undefined,
  ): Promise<void> {
    const way = policy(direction, data.length)
    return order.run(direction === "read" ? "shared" : "exclusive", way, offset, data.length, () => {
      const dataPart = io[direction](dataArea, offset, data, way)
      if (tags === undefined || tagSize === 0) return dataPart
      return settleAll([dataPart, io[direction](tagArea, offset, tags, way)])
    })
  }

  const implementation: DeviceImplementation = {
    name: "file",
    size,
    blockSize,
    tagSize,
    features: { write: !readOnly, atomicSize: tagSize === 0 ? ATOMIC_BYTES : 0, optimalSize: SYNC_BYTES_MAX },
    status: () => ({ path, io: mode }),
    read: (offset, buffer, tags) => transfer("read", offset, buffer, tags),
    async write(offset, data, { tags }) {
      flush.check()
      await transfer("write", offset, data, tags)
    },
    flush: flush.flush,
    async close() {
      try {
        await file.close()
      } catch (error) {
        throw requestError(error, "close")
      }
    },
  }
  // Of data without its tag nothing can be said or given up; a disk is asked for neither.
  if (file.isBlockSpecial || tagSize > 0) return defineDevice(implementation)
  const holes = await fileHoles({ host, fd, path, blockSize, loader, isSync: mode === "sync" })
  return defineDevice(withHoles(implementation, holes, order, flush.check))
}

/** Adds what a regular file without tags knows of its holes. */
function withHoles(
  implementation: DeviceImplementation,
  holes: FileHoles,
  order: RequestOrder,
  check: () => void,
): DeviceImplementation {
  const reporting: DeviceImplementation = { ...implementation, blockStatus: holes.status }
  if (!holes.canPunch) return reporting

  async function writeZeroBytes(offset: number, length: number): Promise<void> {
    const zeroes = new Uint8Array(Math.min(length, ZEROES_BYTES_MAX))
    for (let done = 0; done < length; done += zeroes.length) {
      const piece = zeroes.subarray(0, Math.min(zeroes.length, length - done))
      await implementation.write?.(offset + done, piece, { tags: undefined, fua: false })
    }
  }

  return {
    ...reporting,
    features: { ...implementation.features, discard: true, writeZeroes: true },
    async discard(offset, length) {
      check()
      await order.run("exclusive", "threads", offset, length, () => holes.punch(offset, length))
    },
    async writeZeroes(offset, length, { mayDiscard }) {
      check()
      let isDone = false
      await order.run("exclusive", "threads", offset, length, async () => {
        isDone = await holes.zero(offset, length, mayDiscard)
      })
      // tmpfs, for one, punches holes but cannot zero a range and keep its space.
      if (!isDone) await writeZeroBytes(offset, length)
    },
  }
}
