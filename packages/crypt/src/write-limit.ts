import { BlockError, type EventListener } from "@blockstrata/device"

/** NIST SP 800-38D, 8.3: at most 2^32 invocations of GCM with random IVs under one key. ChaCha20-Poly1305's IV is as short. */
const SECTORS_MAX = 2 ** 32
const SECTORS_WARN = 2 ** 31
/** Bytes under one XTS key: 2^44 blocks of 16 bytes at most, 2^36 if it can be helped (IEEE 1619, key scope). */
const XTS_SIZE_MAX = 2 ** 48
const XTS_SIZE_WARN = 2 ** 40

/** Counts the sectors that one key has encrypted with random 96-bit IVs. */
export interface WriteLimit {
  /** Those of earlier openings too, as far as they were given. */
  readonly sectorsWritten: number
  /**
   * Takes `sectors` more, before they are encrypted. Tells a `limit` event once, when 2^31 are reached or were before.
   * @throws BlockError `REFUSED` if they would be more than 2^32; then none is counted.
   */
  take(sectors: number): void
}

export interface WriteLimitOptions {
  /** Who counts, for messages. */
  readonly device: string
  /** Sectors that the key has encrypted before. Nothing on the medium keeps it. */
  readonly sectorsBefore: number
  readonly onEvent: EventListener | undefined
}

/** @throws RangeError unless `sectorsBefore` is a number of sectors. */
export function writeLimit({ device, sectorsBefore, onEvent }: WriteLimitOptions): WriteLimit {
  if (!Number.isSafeInteger(sectorsBefore) || sectorsBefore < 0)
    throw new RangeError(`${device}: sectorsWritten: expected a number of sectors, got ${sectorsBefore}`)
  let sectorsWritten = sectorsBefore
  let isTold = false
  return {
    get sectorsWritten() {
      return sectorsWritten
    },
    take(sectors) {
      if (sectorsWritten + sectors > SECTORS_MAX) {
        throw new BlockError(
          "REFUSED",
          `${device}: 2^32 sectors were written under this key with random IVs: a new key is needed`,
        )
      }
      sectorsWritten += sectors
      if (isTold || sectorsWritten < SECTORS_WARN) return
      isTold = true
      const message = `${device}: 2^31 sectors were written under this key with random IVs: a new key is needed at 2^32`
      onEvent?.({ kind: "limit", device, message })
    },
  }
}

/**
 * The part of a volume that has one XTS key, in bytes: a `limit` event above 2^36 blocks.
 *
 * @throws BlockError `REFUSED` above 2^44 blocks, if they are to be written.
 */
export function checkXtsSize(size: number, canWrite: boolean, onEvent: EventListener | undefined): void {
  if (size > XTS_SIZE_MAX && canWrite)
    throw new BlockError("REFUSED", "crypt: more than 2^44 blocks (256 TiB) under one XTS key: read-only, or more keys")
  if (size <= XTS_SIZE_WARN) return
  const message = "crypt: more than 2^36 blocks (1 TiB) under one XTS key: from 2^44 on it is refused"
  onEvent?.({ kind: "limit", device: "crypt", message })
}
