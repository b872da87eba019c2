import { type BlockDevice, BlockError, defineDevice } from "@blockstrata/device"
import { type AeadUnits, aeadBatch, gatherMetadata, scatterMetadata } from "./aead-batch.ts"
import type { CipherSpec } from "./cipher-spec.ts"
import { alignedAtomicSize, type CryptParts } from "./crypt-parts.ts"
import { unitCipher } from "./unit-cipher.ts"
import { writeLimit } from "./write-limit.ts"

/** Bytes of data a piece: as much memory again is used for the ciphertext of a write. */
const PIECE_SIZE = 1024 * 1024
/** Bytes. */
const TAG_SIZE_MIN = 16

/**
 * dm-crypt over a tag store. Each sector's metadata below is its tag, then its IV if that is random, then zeros. Without
 * an AEAD there is only the IV, and nothing is verified.
 * A sector that does not verify reads as `INTEGRITY`, at the lowest maximal failing run, and nothing of it is returned.
 *
 * @throws BlockError `INVALID`, `UNSUPPORTED` if the lower's tags do not fit.
 */
export function aeadTarget(parts: CryptParts, spec: CipherSpec, integritySize: number): BlockDevice {
  const { lower, start, size, blockSize, sectorSize, sectorsWritten: sectorsBefore, onEvent } = parts
  const { features } = lower
  const authTagSize = authTagSizeOf(spec, integritySize)
  checkTagStore(lower, sectorSize, integritySize)
  const cipher = unitCipher(parts, spec, authTagSize)
  const { iv } = cipher
  // A repeated IV of 96 bits, or of 64 in CCM, gives an AEAD away; 128 random bits of XTS tweak have no such limit.
  const isLimited = spec.iv === "random" && spec.algorithm.kind === "aead"
  const limit = isLimited ? writeLimit({ device: "crypt", sectorsBefore, onEvent }) : undefined
  const units: AeadUnits = {
    unitSize: sectorSize,
    ivSize: spec.ivSize,
    authTagSize,
    // Linux's rfc4309 takes the IV out of what it authenticates.
    isIvInAad: spec.algorithm.kind !== "aead" || spec.algorithm.saltSize === 0,
    isIvStored: spec.iv === "random",
    metadataSize: lower.tagSize,
  }
  const atomicSize = alignedAtomicSize(parts)

  /** Reads and verifies `buffer`; the index of the first sector that is not authentic, or -1. */
  async function readPiece(offset: number, buffer: Uint8Array): Promise<number> {
    const batch = aeadBatch(units, offset, buffer, buffer)
    const metadata = new Uint8Array((buffer.length / sectorSize) * units.metadataSize)
    await lower.read(start + offset, buffer, metadata)
    if (!units.isIvStored) iv.fill(offset, batch.ivs)
    gatherMetadata(units, metadata, batch)
    return cipher.decrypt(offset, batch)
  }

  /** `readPiece` for requests: throws where it begins to fail. */
  async function readVerified(offset: number, buffer: Uint8Array, requestEnd: number): Promise<void> {
    let failed: number
    try {
      failed = await readPiece(offset, buffer)
    } catch (error) {
      // What lies before the place that failed below has to be good, or the error belongs there.
      const goodSize = error instanceof BlockError && error.offset !== undefined ? error.offset - start - offset : 0
      if (goodSize > 0 && goodSize < buffer.length) await readVerified(offset, buffer.subarray(0, goodSize), requestEnd)
      throw error
    }
    if (failed < 0) return
    const runStart = offset + failed * sectorSize
    throw notAuthentic(runStart, await findRunEnd(runStart + sectorSize, requestEnd))
  }

  /** The end of the run of bad sectors that goes on at `offset`. The slow path of a read that fails anyway. */
  async function findRunEnd(offset: number, end: number): Promise<number> {
    const sector = new Uint8Array(sectorSize)
    try {
      while (offset < end && (await readPiece(offset, sector)) === 0) offset += sectorSize
    } catch {
      // The place below that cannot be read ends the run; it has an error of its own.
    }
    return offset
  }

  function notAuthentic(offset: number, end: number): BlockError {
    const message = `crypt: the tag does not match at offset ${offset}`
    onEvent?.({ kind: "corruption", device: "crypt", message, offset, length: end - offset })
    return new BlockError("INTEGRITY", message, { offset, length: end - offset })
  }

  return defineDevice({
    name: "crypt",
    size,
    blockSize,
    features: {
      write: features.write,
      fua: features.fua,
      // Half a sector, or a sector without its tag, is not old or new but unreadable.
      atomicSize: atomicSize >= sectorSize ? atomicSize : 0,
      optimalSize: Math.max(blockSize, features.optimalSize),
    },
    lowers: [{ role: "data", device: lower }],
    extents: (offset, length) => [{ role: "data", offset: start + offset, length }],
    status: () => ({ ...parts.status(), integritySize, ...(limit && { sectorsWritten: limit.sectorsWritten }) }),
    async read(offset, buffer) {
      const end = offset + buffer.length
      for (let at = 0; at < buffer.length; at += PIECE_SIZE) {
        await readVerified(offset + at, buffer.subarray(at, at + PIECE_SIZE), end)
      }
    },
    async write(offset, data, { fua }) {
      limit?.take(data.length / sectorSize)
      const scratch = new Uint8Array(Math.min(data.length, PIECE_SIZE))
      const metadata = new Uint8Array((scratch.length / sectorSize) * units.metadataSize)
      for (let at = 0; at < data.length; at += PIECE_SIZE) {
        const source = data.subarray(at, at + PIECE_SIZE)
        const batch = aeadBatch(units, offset + at, source, scratch.subarray(0, source.length))
        const tags = metadata.subarray(0, (source.length / sectorSize) * units.metadataSize)
        iv.fill(offset + at, batch.ivs)
        cipher.encrypt(offset + at, batch)
        scatterMetadata(units, batch, tags)
        await lower.write(start + offset + at, batch.target, { tags, fua })
      }
    },
    flush: () => lower.flush(),
    async close() {
      cipher.destroy()
    },
  })
}

/**
 * The bytes of tag in `integrity:N:kind`.
 *
 * @throws BlockError `INVALID` if the cipher has no tag of so many, `UNSUPPORTED` for a truncated one: where the whole has 16
 * bytes, or fewer than 16 would be left.
 */
export function authTagSizeOf(spec: CipherSpec, integritySize: number): number {
  const storedIvSize = spec.iv === "random" ? spec.ivSize : 0
  const size = integritySize - storedIvSize
  // With nothing to store, Linux takes any number.
  if ((!spec.isAead && storedIvSize === 0) || size === spec.authTagSize) return spec.authTagSize
  const isTruncated = spec.truncatedTagSizes.includes(size)
  if (isTruncated && spec.algorithm.kind === "authenc" && size >= TAG_SIZE_MIN) return size
  const what = `crypt: integrity:${integritySize}:${spec.isAead ? "aead" : "none"}`
  const expected = `expected ${spec.authTagSize + storedIvSize} bytes, got ${integritySize}`
  if (isTruncated) throw new BlockError("UNSUPPORTED", `${what}: so short a tag is not built: ${expected}`)
  throw new BlockError("INVALID", `${what}: ${expected}`)
}

function checkTagStore(lower: BlockDevice, sectorSize: number, integritySize: number): void {
  if (lower.tagSize < integritySize) {
    throw new BlockError(
      "INVALID",
      `crypt: integrity: expected a lower device with ${integritySize} bytes of tag, got ${lower.tagSize}`,
    )
  }
  if (lower.blockSize !== sectorSize) {
    throw new BlockError(
      "INVALID",
      `crypt: integrity: expected a lower device with blocks of ${sectorSize} bytes, got ${lower.blockSize}`,
    )
  }
}
