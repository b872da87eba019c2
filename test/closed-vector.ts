import { type BlockDevice, decodeHex, memoryDevice } from "@blockstrata/device"
import {
  type ClosedVolumeOptions,
  type InternalHash,
  integrityWord,
  type JournalAlgorithm,
  type LineHash,
} from "@blockstrata/integrity"
import type { Vector } from "./vector.ts"

/** A dm-integrity vector for who examines it closed: its keys and what its line says, over `bytes` as its only image. */
export function closedVector(
  vector: Vector,
  bytes: Uint8Array,
  readOnly = false,
): ClosedVolumeOptions & { readonly lower: BlockDevice } {
  const [, sectors, , ...args] = vector.stack[0]!.line.split(" ")
  const line = integrityWord.parse(args, Number(sectors) * 512)
  return {
    lower: memoryDevice({ bytes, readOnly }),
    // Linux printed the line: it says of the superblock what is so.
    expected: { ...line, hasJournalMac: line.journalMac !== undefined },
    internalHash: algorithmOf(line.internalHash) as InternalHash | undefined,
    journalMac: algorithmOf(line.journalMac) as JournalAlgorithm | undefined,
    journalCrypt: algorithmOf(line.journalCrypt) as JournalAlgorithm | undefined,
  }
}

function algorithmOf(hash: LineHash | undefined): { name: string; key?: Uint8Array } | undefined {
  if (hash === undefined) return undefined
  return hash.keyHex === undefined ? { name: hash.name } : { name: hash.name, key: decodeHex(hash.keyHex)! }
}
