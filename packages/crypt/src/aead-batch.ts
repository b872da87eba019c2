import type { AeadBatch } from "@blockstrata/primitives"
import { writeSectorNumbers } from "./iv.ts"

/** What belongs to one sector; sizes in bytes. */
export interface AeadUnits {
  readonly unitSize: number
  readonly ivSize: number
  readonly authTagSize: number
  /** The IV is authenticated beside the number of the sector. */
  readonly isIvInAad: boolean
  /** A random IV stands in the metadata, behind the tag. */
  readonly isIvStored: boolean
  /** The tag size of the lower device. */
  readonly metadataSize: number
}

/** A batch for the engine whose additional data still lack the IVs. */
export interface CryptBatch extends AeadBatch {
  /** The additional data of a sector: its number as le64, then its IV, if that is a part of them. */
  setIvsInAads(): void
}

const SECTOR_NUMBER_SIZE = 8

/** The batch of the sectors that begin at `offset` bytes; `source` and `target` may be the same memory. */
export function aeadBatch(units: AeadUnits, offset: number, source: Uint8Array, target: Uint8Array): CryptBatch {
  const { unitSize, ivSize, authTagSize, isIvInAad } = units
  const count = source.length / unitSize
  const aadSize = SECTOR_NUMBER_SIZE + (isIvInAad ? ivSize : 0)
  const ivs = new Uint8Array(count * ivSize)
  const aads = new Uint8Array(count * aadSize)
  // The kernel authenticates the place in the mapping: 512-byte sectors, without the IV offset, whatever the IVs count.
  writeSectorNumbers({ ivOffsetSectors: 0n, sectorSize: unitSize, ivLargeSectors: false }, offset, aads, aadSize)
  return {
    source,
    target,
    unitSize,
    ivs,
    aads,
    tags: new Uint8Array(count * authTagSize),
    setIvsInAads() {
      if (!isIvInAad) return
      for (let index = 0; index < count; index++) {
        copy(ivs, index * ivSize, aads, index * aadSize + SECTOR_NUMBER_SIZE, ivSize)
      }
    },
  }
}

/** Takes tags, and IVs if they are stored, out of the lower's metadata. */
export function gatherMetadata(units: AeadUnits, metadata: Uint8Array, batch: CryptBatch): void {
  const { ivSize, authTagSize, isIvStored, metadataSize } = units
  for (let index = 0, at = 0; at < metadata.length; index++, at += metadataSize) {
    copy(metadata, at, batch.tags, index * authTagSize, authTagSize)
    if (isIvStored) copy(metadata, at + authTagSize, batch.ivs, index * ivSize, ivSize)
  }
}

/** Lays tags, and IVs if they are stored, into the lower's metadata; the rest of it becomes zero. */
export function scatterMetadata(units: AeadUnits, batch: CryptBatch, metadata: Uint8Array): void {
  const { ivSize, authTagSize, isIvStored, metadataSize } = units
  metadata.fill(0)
  for (let index = 0, at = 0; at < metadata.length; index++, at += metadataSize) {
    copy(batch.tags, index * authTagSize, metadata, at, authTagSize)
    if (isIvStored) copy(batch.ivs, index * ivSize, metadata, at + authTagSize, ivSize)
  }
}

function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
  for (let index = 0; index < length; index++) target[to + index] = source[from + index] ?? 0
}
