import { BlockError, type EventListener } from "@blockstrata/device"

/** NIST SP 800-38D, 8.3: at most 2^32 invocations of GCM with random IVs under one key. ChaCha20-Poly1305's IV is as short. */
const SECTORS_MAX = 2 ** 32
const SECTORS_WARN = 2 ** 31

/** Counts the sectors that one key has encrypted with random 96-bit IVs. */
export interface WriteLimit {
  readonly sectorsWritten: number
  /**
   * Takes `sectors` more, before they are encrypted. Tells a `limit` event once, at 2^31.
   * @throws BlockError `REFUSED` if they would be more than 2^32; then none is counted.
   */
  take(sectors: number): void
}

/** The count starts at 0 with each opening: nothing on the medium keeps it. */
export function writeLimit(device: string, onEvent: EventListener | undefined): WriteLimit {
  let sectorsWritten = 0
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
      const wasBelow = sectorsWritten < SECTORS_WARN
      sectorsWritten += sectors
      if (wasBelow && sectorsWritten >= SECTORS_WARN) {
        onEvent?.({
          kind: "limit",
          device,
          message: `${device}: 2^31 sectors were written under this key with random IVs`,
        })
      }
    },
  }
}
