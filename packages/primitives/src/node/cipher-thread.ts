// A helper of a pool: sleeps until there is a job, does chunks of it until none is free, and sleeps again.
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads"
import type { SectorCipher } from "../engine.ts"
import { createNodeEngine } from "./index.ts"
import {
  CHUNK_CLAIMED,
  CHUNK_DONE,
  CHUNK_FREE,
  CHUNK_SIZE,
  type CipherMessage,
  chunkOf,
  JOB_WORDS,
  jobMemory,
} from "./thread-job.ts"

const { shared, port } = workerData as { readonly shared: SharedArrayBuffer; readonly port: MessagePort }
const { words, chunks, data, ivs } = jobMemory(shared)
const engine = createNodeEngine()
const ciphers = new Map<number, SectorCipher>()

/** A thread that sleeps in `Atomics.wait` hears no events, so it looks for messages when it wakes. */
function takeMessages(): void {
  for (let received = receiveMessageOnPort(port); received !== undefined; received = receiveMessageOnPort(port)) {
    const message = received.message as CipherMessage
    ciphers.get(message.id)?.destroy()
    ciphers.delete(message.id)
    if (message.name === undefined) continue
    ciphers.set(message.id, engine.sectorCipher(message.name, message.key))
    message.key.fill(0)
  }
}

function work(cipher: SectorCipher): void {
  const sectorSize = words[JOB_WORDS.sectorSize] ?? 0
  const sectors = data.subarray(0, words[JOB_WORDS.length])
  const apply = words[JOB_WORDS.isEncryption] === 1 ? cipher.encryptSectors : cipher.decryptSectors
  for (let chunk = Math.ceil(sectors.length / CHUNK_SIZE) - 1; chunk >= 0; chunk--) {
    if (Atomics.compareExchange(chunks, chunk, CHUNK_FREE, CHUNK_CLAIMED) !== CHUNK_FREE) continue
    const part = chunkOf(sectors, chunk, sectorSize, sectorSize)
    const partIvs = chunkOf(ivs, chunk, sectorSize, cipher.ivSize).subarray(
      0,
      (part.length / sectorSize) * cipher.ivSize,
    )
    apply(part, part, sectorSize, partIvs)
    Atomics.store(chunks, chunk, CHUNK_DONE)
  }
}

for (let seen = 0; seen >= 0; ) {
  Atomics.wait(words, JOB_WORDS.generation, seen)
  seen = Atomics.load(words, JOB_WORDS.generation)
  takeMessages()
  Atomics.add(words, JOB_WORDS.activeCount, 1)
  if (seen >= 0 && Atomics.load(words, JOB_WORDS.isOpen) === 1) {
    const cipher = ciphers.get(words[JOB_WORDS.cipherId] ?? -1)
    if (cipher !== undefined) work(cipher)
  }
  Atomics.sub(words, JOB_WORDS.activeCount, 1)
}
for (const cipher of ciphers.values()) cipher.destroy()
port.close()
