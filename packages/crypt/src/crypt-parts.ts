import type { BlockDevice, EventListener, Runtime } from "@blockstrata/device"
import type { BlockCipher, Engine } from "@blockstrata/primitives"

/** A block cipher that the caller brings along, for ciphers that no engine has. */
export interface BlockCipherFactory {
  /** Bytes. */
  readonly keySizes: readonly number[]
  /** A cipher with blocks of 16 bytes that works in place too, and keeps its own copy of the key until `destroy`. */
  create(key: Uint8Array): BlockCipher
}

/** What both kinds of target work with, checked. Sizes and offsets in bytes. */
export interface CryptParts {
  readonly lower: BlockDevice
  readonly start: number
  readonly size: number
  readonly blockSize: number
  readonly sectorSize: number
  readonly ivLargeSectors: boolean
  readonly ivOffsetSectors: bigint
  readonly key: Uint8Array
  /** By the key with random IVs, before this opening. */
  readonly sectorsWritten: number
  /** By the kernel's name. */
  readonly blockCiphers: ReadonlyMap<string, BlockCipherFactory> | undefined
  readonly engine: Engine
  readonly runtime: Runtime
  readonly onEvent: EventListener | undefined
  readonly status: () => Readonly<Record<string, string | number>>
}

/** What sectors are encrypted with, wherever they lie. */
export type SectorParts = Pick<
  CryptParts,
  "key" | "sectorSize" | "ivLargeSectors" | "ivOffsetSectors" | "blockCiphers" | "engine" | "runtime"
>

/** Bytes: what remains of the lower's `atomicSize` for pieces that begin at `start`. */
export function alignedAtomicSize({ lower, start }: CryptParts): number {
  return greatestCommonDivisor(lower.features.atomicSize, lower.features.atomicSize === 0 ? 0 : start)
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right)
}
