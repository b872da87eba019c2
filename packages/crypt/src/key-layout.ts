import { BlockError } from "@blockstrata/device"
import type { CipherSpec } from "./cipher-spec.ts"

/** What of a specification decides how its key is divided. */
export type KeyRule = Pick<CipherSpec, "keySizes" | "keyCount" | "iv">

/** A volume's key taken apart: views of it. */
export interface KeyParts {
  /** Of the sectors, in turn. */
  readonly cipherKeys: readonly Uint8Array[]
  /** What the IV wants for itself: the seed of `lmk`, seed and whitening of `tcw`, the second key of `elephant`. */
  readonly ivKey: Uint8Array | undefined
}

/** Bytes. */
export interface KeyLayout {
  readonly cipherKeySize: number
  readonly ivKeyOffset: number
  readonly ivKeySize: number
}

/** Of `tcw`: IV seed and whitening, 16 bytes each. */
export const TCW_KEY_SIZE = 32
/** Elephant's second key is one of AES, whatever the first is of. */
const ELEPHANT_KEY_SIZES = [16, 24, 32]

/** Divides a key whose size was checked. */
export function divideKey(key: Uint8Array, rule: KeyRule): KeyParts {
  const { cipherKeySize, ivKeyOffset, ivKeySize } = keyLayout(key.length, rule)
  return {
    cipherKeys: Array.from({ length: rule.keyCount }, (_, index) =>
      key.subarray(index * cipherKeySize, (index + 1) * cipherKeySize),
    ),
    ivKey: ivKeySize > 0 ? key.subarray(ivKeyOffset, ivKeyOffset + ivKeySize) : undefined,
  }
}

/** @throws BlockError `INVALID` if the cipher has no key of this many bytes, `UNSUPPORTED` if some belong to no key. */
export function checkKeySize(size: number, rule: KeyRule): void {
  const { cipherKeySize, ivKeyOffset, ivKeySize } = keyLayout(size, rule)
  const isIvKey = rule.iv !== "elephant" || ELEPHANT_KEY_SIZES.includes(ivKeySize)
  if (!rule.keySizes.includes(cipherKeySize) || !isIvKey) {
    const sizes = volumeKeySizes(rule)
    const expected = sizes.length === 0 ? "fewer keys" : `${sizes.join(" or ")} bytes`
    throw new BlockError("INVALID", `crypt: key: expected ${expected}, got ${size} bytes`)
  }
  if (rule.keyCount * cipherKeySize + ivKeySize !== size || ivKeyOffset + ivKeySize !== size) {
    throw new BlockError(
      "UNSUPPORTED",
      `crypt: key: ${size} bytes for ${rule.keyCount} keys, which Linux divides with a remainder that it drops`,
    )
  }
}

/** How Linux divides a key of `size` bytes, whether or not its parts are keys. */
export function keyLayout(size: number, { keyCount, iv }: KeyRule): KeyLayout {
  // So Linux tells version 3 of lmk: one more part, the seed.
  if (iv === "lmk" && size % keyCount !== 0) {
    const ivKeySize = Math.floor(size / (keyCount + 1))
    return { cipherKeySize: Math.floor((size - ivKeySize) / keyCount), ivKeyOffset: keyCount * ivKeySize, ivKeySize }
  }
  const ivKeySize = iv === "tcw" ? Math.min(TCW_KEY_SIZE, size) : iv === "elephant" ? Math.floor(size / 2) : 0
  const ivKeyOffset = size - ivKeySize
  return { cipherKeySize: Math.floor(ivKeyOffset / keyCount), ivKeyOffset, ivKeySize }
}

/** The sizes of a whole key that are taken, in bytes. */
export function volumeKeySizes(rule: KeyRule): number[] {
  const { keySizes, keyCount, iv } = rule
  const sizes = keySizes.map((size) => size * keyCount)
  if (iv === "tcw") return sizes.map((size) => size + TCW_KEY_SIZE)
  if (iv === "elephant") return sizes.filter((size) => ELEPHANT_KEY_SIZES.includes(size)).map((size) => 2 * size)
  const seeded = keySizes.map((size) => size * (keyCount + 1))
  return iv === "lmk" ? [...sizes, ...seeded.filter((size) => size % keyCount !== 0)] : sizes
}
