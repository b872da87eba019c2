export interface RingRequest {
  readonly bytes: Uint8Array
  /** One IV per sector; the next request's sectors follow. */
  readonly ivs: Uint8Array
  /** The same, cut into sectors: for ways that take one at a time. */
  readonly sectors: readonly RingSector[]
}

export interface RingSector {
  readonly bytes: Uint8Array
  readonly iv: Uint8Array
}

export interface RingShape {
  readonly memory: Uint8Array
  readonly requestSize: number
  readonly sectorSize: number
  readonly ivSize: number
}

/** Enough different sectors that no cache of tweaks holds them all, as in a volume that is read from start to end. */
const SECTOR_COUNT = 16 * 1024

/** Requests over `memory`, again and again, with sector numbers that count on: little-endian, as plain64 has them. */
export function requestRing({ memory, requestSize, sectorSize, ivSize }: RingShape): readonly RingRequest[] {
  const placeCount = Math.floor(memory.length / requestSize)
  const requestSectorCount = requestSize / sectorSize
  const requestCount = Math.max(placeCount, Math.ceil(SECTOR_COUNT / requestSectorCount))
  return Array.from({ length: requestCount }, (_, index) => {
    const start = (index % placeCount) * requestSize
    const bytes = memory.subarray(start, start + requestSize)
    const ivs = new Uint8Array(requestSectorCount * ivSize)
    const view = new DataView(ivs.buffer)
    const sectors = Array.from({ length: requestSectorCount }, (_sector, sector) => {
      const at = sector * ivSize
      view.setBigUint64(at, BigInt(index * requestSectorCount + sector), true)
      return {
        bytes: bytes.subarray(sector * sectorSize, (sector + 1) * sectorSize),
        iv: ivs.subarray(at, at + ivSize),
      }
    })
    return { bytes, ivs, sectors }
  })
}

/** Calls `work` for `turnCount` requests of a ring, where the last call stopped. */
export function goRound(
  ring: readonly RingRequest[],
  work: (request: RingRequest) => void,
): (turnCount: number) => void {
  let next = 0
  return (turnCount) => {
    for (let turn = 0; turn < turnCount; turn++) {
      const request = ring[next]
      if (request !== undefined) work(request)
      next = next + 1 === ring.length ? 0 : next + 1
    }
  }
}
