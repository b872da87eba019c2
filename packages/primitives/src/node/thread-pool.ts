import { MessageChannel, type MessagePort, Worker } from "node:worker_threads"
import type { SectorCipher, SectorCipherName } from "../engine.ts"
import { shareJudge } from "./share-judge.ts"
import {
  CHUNK_CLAIMED,
  CHUNK_DONE,
  CHUNK_FREE,
  CHUNK_SIZE,
  type CipherMessage,
  chunkOf,
  JOB_BYTES_MAX,
  JOB_MEMORY_BYTES,
  JOB_WORDS,
  type JobMemory,
  jobMemory,
} from "./thread-job.ts"

/** Bytes of a request from which sharing gains: waking a helper takes as long as 128 KiB of XTS. */
const SHARED_BYTES_MIN = 512 * 1024
const SECTOR_SIZE_MIN = 512

/**
 * Helpers for large requests. Calls stay synchronous, and never wait for a helper: what one has claimed and not finished
 * when everything else is done is done again by the caller.
 */
export interface ThreadPool {
  /** `cipher`, with its large requests shared; small ones, and those that nobody helps with, cost what they did. */
  share(name: SectorCipherName, key: Uint8Array, cipher: SectorCipher): SectorCipher
  close(): void
}

type Direction = "encryptSectors" | "decryptSectors"

/** One request of at most twice `JOB_BYTES_MAX`. */
interface Job {
  readonly cipher: SectorCipher
  readonly direction: Direction
  readonly id: number
  readonly source: Uint8Array
  readonly target: Uint8Array
  readonly sectorSize: number
  readonly ivs: Uint8Array
}

/** `helperCount` threads beside the calling one. They keep no process alive. */
export function createThreadPool(helperCount: number): ThreadPool {
  const shared = new SharedArrayBuffer(JOB_MEMORY_BYTES)
  const memory = jobMemory(shared)
  const ports: MessagePort[] = []
  let cipherCount = 0
  const judge = shareJudge()
  let isClosed = false

  function startHelpers(): void {
    while (ports.length < helperCount) {
      const { port1, port2 } = new MessageChannel()
      const workerData = { shared, port: port2 }
      const thread = new Worker(new URL("cipher-thread.js", import.meta.url), { workerData, transferList: [port2] })
      // A helper that fails leaves everything to the caller; nothing depends on it.
      thread.on("error", () => {
        isClosed = true
      })
      thread.unref()
      port1.unref()
      ports.push(port1)
    }
  }

  function tell(message: CipherMessage): void {
    for (const port of ports) port.postMessage(message)
  }

  function canShare(length: number, sectorSize: number): boolean {
    if (length < SHARED_BYTES_MIN || sectorSize < SECTOR_SIZE_MIN || CHUNK_SIZE % sectorSize !== 0) return false
    // A helper that is late with an earlier job still looks at its words.
    return !isClosed && Atomics.load(memory.words, JOB_WORDS.activeCount) === 0
  }

  function run(job: Job): void {
    const { length } = job.source
    if (!canShare(length, job.sectorSize)) return runAlone(job)
    const way = judge.next()
    const start = process.hrtime.bigint()
    if (way === "shared") runShared(memory, job)
    else runAlone(job)
    judge.note(length, Number(process.hrtime.bigint() - start))
  }

  return {
    share(name, key, cipher) {
      startHelpers()
      const id = cipherCount++
      // Not `slice`: that of a Buffer would be a view of the key itself.
      const copy = new Uint8Array(key)
      tell({ id, name, key: copy })
      copy.fill(0)
      const apply =
        (direction: Direction): SectorCipher[Direction] =>
        (source, target, sectorSize, ivs) => {
          for (const part of split({ cipher, direction, id, source, target, sectorSize, ivs })) run(part)
        }
      return {
        ivSize: cipher.ivSize,
        encryptSectors: apply("encryptSectors"),
        decryptSectors: apply("decryptSectors"),
        destroy() {
          cipher.destroy()
          tell({ id, name: undefined })
        },
      }
    },
    close() {
      isClosed = true
      Atomics.store(memory.words, JOB_WORDS.generation, -1)
      Atomics.notify(memory.words, JOB_WORDS.generation)
      for (const port of ports) port.close()
    },
  }
}

function runAlone({ cipher, direction, source, target, sectorSize, ivs }: Job): void {
  cipher[direction](source, target, sectorSize, ivs)
}

/** The sectors from `start` to `end`, in bytes, of a request. */
function partOf(job: Job, start: number, end: number): Job {
  const ivAt = (at: number) => (at / job.sectorSize) * job.cipher.ivSize
  return {
    ...job,
    source: job.source.subarray(start, end),
    target: job.target.subarray(start, end),
    ivs: job.ivs.subarray(ivAt(start), ivAt(end)),
  }
}

function split(job: Job): Job[] {
  if (job.source.length <= 2 * JOB_BYTES_MAX) return [job]
  const parts: Job[] = []
  for (let start = 0; start < job.source.length; start += 2 * JOB_BYTES_MAX) {
    parts.push(partOf(job, start, Math.min(start + 2 * JOB_BYTES_MAX, job.source.length)))
  }
  return parts
}

/** The second half of a request is offered to the helpers. */
function runShared(memory: JobMemory, job: Job): void {
  const { words, chunks, data } = memory
  const ownLength = Math.ceil(job.source.length / 2 / CHUNK_SIZE) * CHUNK_SIZE
  const offered = partOf(job, ownLength, job.source.length)
  const chunkCount = Math.ceil(offered.source.length / CHUNK_SIZE)
  publish(memory, offered, chunkCount)
  runAlone(partOf(job, 0, ownLength))
  const chunkJob = (chunk: number) =>
    partOf(offered, chunk * CHUNK_SIZE, Math.min((chunk + 1) * CHUNK_SIZE, offered.source.length))
  // Helpers claim from the last chunk down: from the first claimed one on, all are theirs.
  let ownCount = 0
  while (ownCount < chunkCount && Atomics.compareExchange(chunks, ownCount, CHUNK_FREE, CHUNK_CLAIMED) === CHUNK_FREE) {
    runAlone(chunkJob(ownCount))
    ownCount += 1
  }
  Atomics.store(words, JOB_WORDS.isOpen, 0)
  // The chunk that a helper still has in hand is the lowest: it comes last, and is done here if it is not done by then.
  for (let chunk = chunkCount - 1; chunk >= ownCount; chunk--) {
    const part = chunkJob(chunk)
    if (Atomics.load(chunks, chunk) === CHUNK_DONE) {
      part.target.set(chunkOf(data, chunk, 1, 1).subarray(0, part.target.length))
    } else runAlone(part)
  }
}

function publish({ words, chunks, data, ivs }: JobMemory, job: Job, chunkCount: number): void {
  data.set(job.source)
  ivs.set(job.ivs)
  chunks.fill(CHUNK_FREE, 0, chunkCount)
  words[JOB_WORDS.cipherId] = job.id
  words[JOB_WORDS.isEncryption] = job.direction === "encryptSectors" ? 1 : 0
  words[JOB_WORDS.sectorSize] = job.sectorSize
  words[JOB_WORDS.length] = job.source.length
  Atomics.store(words, JOB_WORDS.isOpen, 1)
  // Never negative, which means closed.
  Atomics.store(words, JOB_WORDS.generation, ((words[JOB_WORDS.generation] ?? 0) + 1) % 2 ** 30)
  Atomics.notify(words, JOB_WORDS.generation)
}
