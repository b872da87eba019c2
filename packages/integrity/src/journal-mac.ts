import type { UnitHash } from "@blockstrata/primitives"
import { MAC_PIECE_SIZE, macPiece, type SectionShape, sectorFields, viewOf } from "./journal-section.ts"
import { SECTION_METADATA_SECTORS } from "./layout.ts"

/**
 * The MAC of a section: H([salt || le64(section) with fixed HMAC] || the 8-byte sector fields of all its entries), cut or
 * padded with zeroes to 64 bytes, 8 of them in each metadata sector.
 *
 * It says which blocks a section holds and, with fixed HMAC, of which section and volume it is. It does not cover the data,
 * the tags and the sequence: the tags have to be verified beside it, and an old content of the same section is authentic.
 *
 * Source: compared with journals of Linux 6.1.
 */
export interface JournalMac {
  put(section: Uint8Array, sectionIndex: number): void
  matches(section: Uint8Array, sectionIndex: number): boolean
  destroy(): void
}

const MAC_SIZE = SECTION_METADATA_SECTORS * MAC_PIECE_SIZE

/** @param hash owned. @param salt 16 bytes, where the superblock says fixed HMAC. */
export function journalMac(shape: SectionShape, hash: UnitHash, salt: Uint8Array | undefined): JournalMac {
  const prefix = salt && new Uint8Array(salt)

  function macOf(section: Uint8Array, sectionIndex: number): Uint8Array {
    const fields = sectorFields(section, shape)
    const mac = new Uint8Array(MAC_SIZE)
    const index = new Uint8Array(8)
    viewOf(index).setUint32(0, sectionIndex, true)
    const digest = prefix === undefined ? hash.digest(fields) : hash.digest(prefix, index, fields)
    mac.set(digest.subarray(0, MAC_SIZE))
    return mac
  }

  return {
    put(section, sectionIndex) {
      const mac = macOf(section, sectionIndex)
      for (let index = 0; index < SECTION_METADATA_SECTORS; index++) {
        macPiece(section, index).set(mac.subarray(index * MAC_PIECE_SIZE, (index + 1) * MAC_PIECE_SIZE))
      }
    },
    matches(section, sectionIndex) {
      const mac = macOf(section, sectionIndex)
      // Every byte is looked at, so that the time taken tells nothing.
      let difference = 0
      for (let index = 0; index < SECTION_METADATA_SECTORS; index++) {
        const piece = macPiece(section, index)
        for (let byte = 0; byte < MAC_PIECE_SIZE; byte++)
          difference |= piece[byte]! ^ mac[index * MAC_PIECE_SIZE + byte]!
      }
      return difference === 0
    },
    destroy: () => hash.destroy(),
  }
}
