import { COMMIT_ID_OFFSET, viewOf } from "./journal-section.ts"

/**
 * Commit ids: le64 base of the sequence, xor (section << 32), xor sector in it. They say of which round through the journal
 * each sector is. Sequences count modulo 4, of which one is never in use.
 *
 * Source: Linux, admin-guide/device-mapper/dm-integrity; compared with journals of Linux 6.1.
 */
export interface CommitIds {
  /** Puts the commit ids of all sectors of a section. */
  put(section: Uint8Array, sectionIndex: number, sequence: number): void
  /** The sequence of one sector; undefined if its commit id is none of the four. */
  sequenceAt(section: DataView, sectionIndex: number, sectorIndex: number): number | undefined
}

export const SEQUENCE_COUNT = 4
const SECTOR_SIZE = 512
const ID_SIZE = 8

/** The bases as they are without a stream cipher: 8 bytes 0x11, 8 bytes 0x22 ... */
export function plainBases(): Uint8Array {
  return Uint8Array.from({ length: SEQUENCE_COUNT * ID_SIZE }, (_, index) => 0x11 * (1 + Math.floor(index / ID_SIZE)))
}

/** @param bases four of 8 bytes; where two are the same, the later one counts up until it differs. */
export function commitIds(bases: Uint8Array): CommitIds {
  const [low, high] = distinctWords(bases)
  return {
    put(section, sectionIndex, sequence) {
      const view = viewOf(section)
      const highWord = high[sequence]! ^ sectionIndex
      for (let sectorIndex = 0; sectorIndex < section.length / SECTOR_SIZE; sectorIndex++) {
        const at = sectorIndex * SECTOR_SIZE + COMMIT_ID_OFFSET
        view.setUint32(at, low[sequence]! ^ sectorIndex, true)
        view.setUint32(at + 4, highWord, true)
      }
    },
    sequenceAt(section, sectionIndex, sectorIndex) {
      const at = sectorIndex * SECTOR_SIZE + COMMIT_ID_OFFSET
      const lowWord = (section.getUint32(at, true) ^ sectorIndex) >>> 0
      const highWord = (section.getUint32(at + 4, true) ^ sectionIndex) >>> 0
      for (let sequence = 0; sequence < SEQUENCE_COUNT; sequence++) {
        if (low[sequence] === lowWord && high[sequence] === highWord) return sequence
      }
      return undefined
    },
  }
}

/** The sequence after, or before with -1. */
export function nextSequence(sequence: number, steps = 1): number {
  return (sequence + steps + SEQUENCE_COUNT) % SEQUENCE_COUNT
}

function distinctWords(bases: Uint8Array): [low: Uint32Array, high: Uint32Array] {
  const view = viewOf(bases)
  const ids: bigint[] = []
  for (let sequence = 0; sequence < SEQUENCE_COUNT; sequence++) {
    let id = view.getBigUint64(sequence * ID_SIZE, true)
    while (ids.includes(id)) id = BigInt.asUintN(64, id + 1n)
    ids.push(id)
  }
  const low = Uint32Array.from(ids, (id) => Number(BigInt.asUintN(32, id)))
  return [low, Uint32Array.from(ids, (id) => Number(id / 2n ** 32n))]
}
