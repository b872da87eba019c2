import {
  closeSync,
  openSync,
  read as readCallback,
  readSync,
  write as writeCallback,
  writeFileSync,
  writeSync,
} from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { openFileDevice } from "@blockstrata/device/file"
import { type BlockDevice, settleAll } from "blockstrata"
import { type Bench, type BenchContext, measureCase } from "./bench.ts"
import { type BenchRecord, OURS } from "./harness/bench-record.ts"
import { fillNoise } from "./harness/noise.ts"
import type { Contestant } from "./harness/paired-rounds.ts"
import { inScratchFolder } from "./harness/scratch-folder.ts"

const KIB = 1024
const MIB = 1024 * KIB
const FILE_SIZE = 16 * MIB
const SIZES = [4 * KIB, 64 * KIB, MIB]
const MODES = ["sync", "auto", "threads"] as const
type Direction = "read" | "write"

interface Shape {
  readonly mode: (typeof MODES)[number]
  readonly direction: Direction
  readonly size: number
  /** Requests in flight. */
  readonly depth: number
}

/** One open file, by every way to it. */
interface Ways {
  readonly device: BlockDevice
  readonly handle: FileHandle
  readonly fd: number
}

/** The file device in its three modes, on a file in the page cache. */
export const fileIo: Bench = {
  name: "file-io",
  question: "What does the file device cost over the system calls, in each of its modes?",
  async *run(context) {
    yield* inScratchFolder(tmpdir(), async function* (folder) {
      const path = join(folder, "file.img")
      writeFileSync(path, fillNoise(new Uint8Array(FILE_SIZE)))
      for (const shape of shapes()) yield await measureShape(context, path, shape)
    })
  },
}

function shapes(): Shape[] {
  const alone = MODES.flatMap((mode) =>
    (["read", "write"] as const).flatMap((direction) =>
      SIZES.map((size): Shape => ({ mode, direction, size, depth: 1 })),
    ),
  )
  const deep = SIZES.slice(0, 2).map((size): Shape => ({ mode: "threads", direction: "read", size, depth: 8 }))
  return [...alone, ...deep]
}

async function measureShape(context: BenchContext, path: string, shape: Shape): Promise<BenchRecord> {
  const { mode, direction, size, depth } = shape
  const handle = await open(path, "r+")
  const fd = openSync(path, "r+")
  const device = await openFileDevice(path, { io: mode })
  const request = size < MIB ? `${size / KIB} KiB` : `${size / MIB} MiB`
  const name = `${mode}: sequential ${direction}s of ${request}${depth > 1 ? `, ${depth} in flight` : ""}`
  const amount = (size * depth) / MIB
  try {
    return await measureCase(
      context,
      { bench: "file-io", case: name, unit: "MiB/s", amount },
      contestantsOf({ device, handle, fd }, shape),
    )
  } finally {
    await device.close()
    await handle.close()
    closeSync(fd)
  }
}

/** A turn is one request, or as many as are in flight. The system call is the limit, Node's promises are the naive way. */
function contestantsOf(ways: Ways, { direction, size, depth }: Shape): Contestant[] {
  const buffers = Array.from({ length: depth }, () => fillNoise(new Uint8Array(size)))
  const calls = direction === "read" ? readCalls(ways) : writeCalls(ways)
  const asynchronous = (call: (bytes: Uint8Array, offset: number) => Promise<unknown>): Contestant["run"] =>
    inFlight(depth, size, async (index, offset) => void (await call(buffers[index] ?? new Uint8Array(0), offset)))
  return [
    { name: OURS, run: asynchronous(calls.device) },
    {
      name: "limit",
      run(turnCount) {
        for (let turn = 0; turn < turnCount * depth; turn++) {
          calls.sync(buffers[turn % depth] ?? new Uint8Array(0), (turn * size) % FILE_SIZE)
        }
      },
    },
    { name: "naive", run: asynchronous(calls.handle) },
    { name: "fs-callback", run: asynchronous(calls.callback) },
  ]
}

/** The same request by every way. */
interface Calls {
  sync(bytes: Uint8Array, offset: number): void
  device(bytes: Uint8Array, offset: number): Promise<unknown>
  handle(bytes: Uint8Array, offset: number): Promise<unknown>
  callback(bytes: Uint8Array, offset: number): Promise<unknown>
}

function readCalls({ device, handle, fd }: Ways): Calls {
  const callback = promisify(readCallback) as (...args: unknown[]) => Promise<unknown>
  return {
    sync: (bytes, offset) => void readSync(fd, bytes, 0, bytes.length, offset),
    device: (bytes, offset) => device.read(offset, bytes),
    handle: (bytes, offset) => handle.read(bytes, 0, bytes.length, offset),
    callback: (bytes, offset) => callback(fd, bytes, 0, bytes.length, offset),
  }
}

function writeCalls({ device, handle, fd }: Ways): Calls {
  const callback = promisify(writeCallback) as (...args: unknown[]) => Promise<unknown>
  return {
    sync: (bytes, offset) => void writeSync(fd, bytes, 0, bytes.length, offset),
    device: (bytes, offset) => device.write(offset, bytes),
    handle: (bytes, offset) => handle.write(bytes, 0, bytes.length, offset),
    callback: (bytes, offset) => callback(fd, bytes, 0, bytes.length, offset),
  }
}

function inFlight(
  depth: number,
  size: number,
  request: (index: number, offset: number) => Promise<void>,
): Contestant["run"] {
  return async (turnCount) => {
    for (let turn = 0; turn < turnCount; turn++) {
      const place = (index: number): number => ((turn * depth + index) * size) % FILE_SIZE
      if (depth === 1) await request(0, place(0))
      else await settleAll(Array.from({ length: depth }, (_, index) => request(index, place(index))))
    }
  }
}
