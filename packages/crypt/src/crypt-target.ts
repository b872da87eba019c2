/**
 * Promises: the same bytes on the medium as Linux's dm-crypt with the same table line. Without a tag store: whoever has
 * the medium at rest learns no plaintext. With one (AEAD): also that changed, moved or forged sectors read as `INTEGRITY`.
 * Does not promise: that contents are fresh, or, without tags, that a change is noticed: it decrypts to noise.
 * Attacks that remain: replay of an old sector (with its tag), of the whole volume; which sectors are written, and when.
 */
import { type BlockDevice, BlockError, type EventListener, hostRuntime, type Runtime } from "@blockstrata/device"
import { defaultEngine, type Engine } from "@blockstrata/primitives"
import { aeadTarget } from "./aead-target.ts"
import { type CipherSpec, checkIvSectorSize, parseCipherSpec } from "./cipher-spec.ts"
import type { BlockCipherFactory, CryptParts } from "./crypt-parts.ts"
import { checkKeySize } from "./key-layout.ts"
import { sectorTarget } from "./sector-target.ts"
import { checkXtsSize } from "./write-limit.ts"

export interface CryptOptions {
  /** Owned by the target once it is built. */
  readonly lower: BlockDevice
  /** Bytes into `lower`; 0 if not given. */
  readonly start?: number | undefined
  /** Bytes. */
  readonly size: number
  /** As on the table line: `aes-xts-plain64`, `capi:gcm(aes)-random` ... */
  readonly cipher: string
  /**
   * The volume key. The engine copies it; the caller wipes its own. For authenc: cipher key, then MAC key, of a digest's
   * size. For `aes:N-...`: N keys. Behind them what an IV wants: a seed (`lmk`, version 3), 32 bytes (`tcw`), as much again
   * (`elephant`).
   */
  readonly key: Uint8Array
  /** Sectors of 512 bytes, 0 ... 2^64 - 1, added to the sector number before it becomes an IV. */
  readonly ivOffsetSectors: number | bigint
  /** Bytes: 512 (as on a table line that does not say it), 1024, 2048 or 4096. */
  readonly sectorSize?: number | undefined
  /** Count IVs in units of `sectorSize` instead of 512 bytes. */
  readonly ivLargeSectors?: boolean | undefined
  /** Pass discards on: whoever sees the medium then sees which sectors are unused. Never with tags. */
  readonly allowDiscards?: boolean | undefined
  /** Needed for an AEAD (`aead`) and for random IVs (`none` without an AEAD). */
  readonly integrity?: CryptIntegrity | undefined
  /** Take `ecb(cipher_null)`: plaintext on the medium. */
  readonly allowNullCipher?: boolean | undefined
  /**
   * Block ciphers that no engine has, by the kernel's name: `serpent`, `twofish`, `camellia` ... They work in the modes
   * xts, cbc, ctr, ecb and lrw.
   */
  readonly blockCiphers?: ReadonlyMap<string, BlockCipherFactory> | undefined
  /**
   * Sectors that this key has encrypted with random 96-bit IVs before, as `layer.status().sectorsWritten` told at the end
   * of the last opening; 0 if not given. At 2^31 a `limit` event, at 2^32 no write any more.
   */
  readonly sectorsWritten?: number | undefined
  readonly engine?: Engine | undefined
  readonly runtime?: Runtime | undefined
  readonly onEvent?: EventListener | undefined
}

/** What a volume keeps beside each sector. Sizes in bytes. */
export interface CryptIntegrity {
  /** Of tag and random IV in the tag store below. */
  readonly tagSize: number
  readonly kind: "aead" | "none"
  /** Of the MAC key in an authenc key; the digest's size if not given. */
  readonly keySize?: number | undefined
}

const SECTOR_SIZES = [512, 1024, 2048, 4096]

/**
 * Encrypts what is written and decrypts what is read, sector by sector, as Linux's dm-crypt does.
 *
 * Pure construction: nothing is read or written. A discarded range reads as noise, never as zeroes. With tags the size
 * of a crash-proof piece is the lower's only if that is at least a sector.
 *
 * @throws BlockError `INVALID` what Linux refuses, `UNSUPPORTED` what only this library does not build, `REFUSED` the
 * null cipher, and more than 256 TiB to write under one XTS key. TypeError or RangeError for values that no table line can say.
 * @see Linux, admin-guide/device-mapper/dm-crypt
 */
export function cryptTarget(options: CryptOptions): BlockDevice {
  const { lower, cipher, key, integrity, sectorSize = 512, onEvent } = options
  if (!(key instanceof Uint8Array)) throw new TypeError("crypt: key: expected a Uint8Array")
  const { blockCiphers, allowNullCipher } = options
  const spec = parseCipherSpec(cipher, integrity?.kind, {
    macKeySize: integrity?.keySize,
    blockCiphers,
    allowNullCipher,
  })
  checkKeySize(key.length, spec)
  const ivOffsetSectors = readIvOffset(options.ivOffsetSectors)
  checkSectorSize(sectorSize, ivOffsetSectors)
  checkIvSectorSize(spec, sectorSize)
  const blockSize = Math.max(sectorSize, lower.blockSize)
  const { start = 0, size } = options
  checkRange(start, size, blockSize, lower)
  const parts: CryptParts = {
    lower,
    start,
    size,
    blockSize,
    sectorSize,
    ivLargeSectors: options.ivLargeSectors ?? false,
    ivOffsetSectors,
    key,
    sectorsWritten: options.sectorsWritten ?? 0,
    blockCiphers,
    engine: options.engine ?? defaultEngine,
    runtime: options.runtime ?? hostRuntime,
    onEvent,
    status: () => ({ cipher, sectorSize, keySize: key.length }),
  }
  if (isXts(spec)) checkXtsSize(size / spec.keyCount, lower.features.write, onEvent)
  if (integrity !== undefined && (spec.isAead || spec.iv === "random"))
    return aeadTarget(parts, spec, integrity.tagSize)
  // Linux stores whatever its memory held before in tags that nothing reads.
  if (integrity !== undefined && lower.tagSize > 0)
    throw new BlockError("UNSUPPORTED", `crypt: integrity:${integrity.tagSize}:none without anything to store`)
  return sectorTarget(parts, spec, options.allowDiscards ?? false)
}

function isXts({ algorithm }: CipherSpec): boolean {
  return (algorithm.kind === "sector" || algorithm.kind === "authenc") && algorithm.mode === "xts"
}

function readIvOffset(value: number | bigint): bigint {
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw new RangeError(`crypt: ivOffsetSectors: expected an integer, got ${value}`)
  const sectors = BigInt(value)
  if (sectors < 0n || sectors >= 2n ** 64n)
    throw new RangeError(`crypt: ivOffsetSectors: expected 0 ... 2^64 - 1, got ${sectors}`)
  return sectors
}

/** @throws BlockError `INVALID` as the kernel does; the offset must be a multiple of the sector size with small IVs too. */
export function checkSectorSize(sectorSize: number, ivOffsetSectors: bigint): void {
  if (!SECTOR_SIZES.includes(sectorSize)) {
    throw new BlockError("INVALID", `crypt: sector size: expected ${SECTOR_SIZES.join(", ")}, got ${sectorSize}`)
  }
  if (ivOffsetSectors % BigInt(sectorSize / 512) !== 0n) {
    throw new BlockError(
      "INVALID",
      `crypt: IV offset: expected a multiple of the sector size ${sectorSize}, got ${ivOffsetSectors} sectors`,
    )
  }
}

function checkRange(start: number, size: number, blockSize: number, lower: BlockDevice): void {
  for (const [what, value] of Object.entries({ start, size })) {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`crypt: ${what}: expected bytes, got ${value}`)
    if (value % blockSize !== 0)
      throw new BlockError("INVALID", `crypt: ${what}: expected a multiple of ${blockSize}, got ${value}`)
  }
  if (size > lower.size - start) {
    throw new BlockError(
      "INVALID",
      `crypt: the lower device ${lower.layer.name} is too small: expected ${start + size} bytes, got ${lower.size}`,
    )
  }
}
