import { type BlockDevice, defineDevice } from "@blockstrata/device"
import type { CipherSpec } from "./cipher-spec.ts"
import { ciphertextPool, PIECE_SIZE } from "./ciphertext-pool.ts"
import { alignedAtomicSize, type CryptParts } from "./crypt-parts.ts"
import type { IvGenerator } from "./iv.ts"
import { sectorEncryption } from "./sector-encryption.ts"

/** Bytes of IVs made at a time. */
const IV_SCRATCH_SIZE = 512 * 1024

/**
 * dm-crypt without tags. A request is one lower read or write (writes in pieces of 1 MiB), and one engine call for all
 * of its sectors. `data` of a write is never changed; a read is decrypted where it stands.
 */
export function sectorTarget(parts: CryptParts, spec: CipherSpec, allowDiscards: boolean): BlockDevice {
  const { lower, start, size, blockSize, sectorSize, engine } = parts
  const { features } = lower
  const cipher = sectorEncryption(parts, spec)

  const pool = ciphertextPool(engine)
  const forEachIvBatch = ivBatches(cipher.iv, sectorSize)
  // Whole blocks: a lower with blocks larger than a piece gets one at a time, in memory of its own.
  const pieceSize = Math.max(blockSize, PIECE_SIZE)

  return defineDevice({
    name: "crypt",
    size,
    blockSize,
    features: {
      write: features.write,
      discard: allowDiscards && features.discard,
      fua: features.fua,
      atomicSize: atomicSize(parts, spec),
      optimalSize: Math.max(blockSize, features.optimalSize),
    },
    // A sector over smaller blocks: a read must not find it half written.
    ordered: sectorSize > lower.blockSize,
    lowers: [{ role: "data", device: lower }],
    extents: (offset, length) => [{ role: "data", offset: start + offset, length }],
    status: parts.status,
    async read(offset, buffer) {
      await lower.read(start + offset, buffer)
      forEachIvBatch(offset, buffer.length, (from, to, ivs) => {
        const batch = to - from === buffer.length ? buffer : buffer.subarray(from, to)
        cipher.decrypt(offset + from, batch, batch, ivs)
      })
    },
    async write(offset, data, { fua }) {
      const scratch = pool.take(Math.min(data.length, pieceSize))
      try {
        for (let done = 0; done < data.length; done += scratch.length) {
          const plaintext = data.subarray(done, done + scratch.length)
          const ciphertext = scratch.subarray(0, plaintext.length)
          forEachIvBatch(offset + done, plaintext.length, (from, to, ivs) =>
            cipher.encrypt(offset + done + from, plaintext.subarray(from, to), ciphertext.subarray(from, to), ivs),
          )
          await lower.write(start + offset + done, ciphertext, { fua })
        }
      } finally {
        pool.give(scratch)
      }
    },
    flush: () => lower.flush(),
    discard: (offset, length) => lower.discard(start + offset, length),
    async close() {
      cipher.destroy()
    },
  })
}

/** Calls `work` for as many sectors as the IV scratch holds: for nearly every request, once. */
type IvBatches = (offset: number, length: number, work: (from: number, to: number, ivs: Uint8Array) => void) => void

function ivBatches(iv: IvGenerator, sectorSize: number): IvBatches {
  const batchSizeMax = Math.floor(IV_SCRATCH_SIZE / iv.ivSize) * sectorSize
  // One scratch a target: between filling and using it nothing else runs.
  let scratch = new Uint8Array(0)
  return (offset, length, work) => {
    const batchSize = Math.min(length, batchSizeMax)
    const needed = (batchSize / sectorSize) * iv.ivSize
    if (scratch.length < needed) scratch = new Uint8Array(needed)
    for (let from = 0; from < length; from += batchSize) {
      const to = Math.min(length, from + batchSize)
      const ivs = scratch.subarray(0, ((to - from) / sectorSize) * iv.ivSize)
      iv.fill(offset + from, ivs)
      work(from, to, ivs)
    }
  }
}

/**
 * What a crash leaves whole. In most modes each 16 bytes stand alone, so a torn sector decrypts to old and new pieces just
 * where the lower tore it. In CBC the first 16 bytes after a tear are decrypted with the wrong block before them, lmk makes
 * those at the start of a sector depend on all the others, and Adiantum and elephant mix all of it: then only whole sectors
 * count.
 */
function atomicSize(parts: CryptParts, { algorithm, iv }: CipherSpec): number {
  const size = alignedAtomicSize(parts)
  const isChained =
    iv === "elephant" || algorithm.kind === "adiantum" || (algorithm.kind === "sector" && algorithm.mode === "cbc")
  return !isChained || size >= parts.sectorSize ? size : 0
}
