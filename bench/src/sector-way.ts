import { createCipheriv, createDecipheriv } from "node:crypto"
import { ecb } from "@noble/ciphers/aes.js"
import { chacha12, chacha20 } from "@noble/ciphers/chacha.js"
import type { RingRequest } from "./harness/request-ring.ts"

export type Mode = "aes-xts" | "aes-cbc-essiv" | "aes-lrw" | "adiantum-xchacha12" | "adiantum-xchacha20"
export type Direction = "encrypt" | "decrypt"

/** What a way of enciphering sectors is told; `essivKey` is the hash of `key`. */
export interface SectorWork {
  readonly mode: Mode
  readonly direction: Direction
  readonly key: Uint8Array
  readonly essivKey: Uint8Array
}

type Way = (request: RingRequest) => void

/** What OpenSSL has for a mode; of LRW only the blocks, of Adiantum only a stream, of 20 rounds. */
export const OPENSSL_NAMES: Readonly<Record<Mode, string>> = {
  "aes-xts": "aes-256-xts",
  "aes-cbc-essiv": "aes-256-cbc",
  "aes-lrw": "aes-256-ecb",
  "adiantum-xchacha12": "chacha20",
  "adiantum-xchacha20": "chacha20",
}
/** Two keys; one; one and 16 bytes for the tweaks; one. */
export const KEY_SIZES: Readonly<Record<Mode, number>> = {
  "aes-xts": 64,
  "aes-cbc-essiv": 32,
  "aes-lrw": 48,
  "adiantum-xchacha12": 32,
  "adiantum-xchacha20": 32,
}
const BLOCK_KEY_SIZE = 32
/** What one call of the raw cipher gets: larger ones are slower, for their output no longer fits the caches. */
const RAW_PIECE_SIZE = 64 * 1024
const IV_SIZE = 16
const BLOCK_SIZE = 16
const SECTOR_SIZE_MAX = 4096

/** The limit: one object for all that is measured. */
export function rawCipher({ mode, direction, key }: SectorWork): Way {
  const create = direction === "encrypt" ? createCipheriv : createDecipheriv
  const iv = mode === "aes-lrw" ? null : new Uint8Array(IV_SIZE)
  const raw = create(OPENSSL_NAMES[mode], opensslKey(mode, key), iv).setAutoPadding(false)
  return ({ bytes }) => {
    for (let start = 0; start < bytes.length; start += RAW_PIECE_SIZE) {
      raw.update(bytes.subarray(start, start + RAW_PIECE_SIZE))
    }
  }
}

/**
 * The obvious code: an object for each sector. Of what OpenSSL does not have, LRW gets its tweaks for nothing, and Adiantum
 * its hashes and the keys of the stream: two objects are left, one for the block and one for the rest.
 */
export function objectPerSector({ mode, direction, key, essivKey }: SectorWork): Way {
  const create = direction === "encrypt" ? createCipheriv : createDecipheriv
  const name = OPENSSL_NAMES[mode]
  const cipherKey = opensslKey(mode, key)
  const essiv = createCipheriv("aes-256-ecb", essivKey, null)
  const tweaks = new Uint8Array(SECTOR_SIZE_MAX).fill(0x5a)
  return ({ sectors }) => {
    for (const { bytes, iv } of sectors) {
      if (isAdiantum(mode)) {
        const block = bytes.subarray(-BLOCK_SIZE)
        const left = bytes.subarray(0, -BLOCK_SIZE)
        block.set(create("aes-256-ecb", cipherKey, null).setAutoPadding(false).update(block))
        left.set(create(name, cipherKey, block).update(left))
      } else if (mode === "aes-lrw") {
        applyTweaks(bytes, tweaks)
        bytes.set(create(name, cipherKey, null).setAutoPadding(false).update(bytes))
        applyTweaks(bytes, tweaks)
      } else {
        const cipher = create(name, cipherKey, mode === "aes-xts" ? iv : essiv.update(iv)).setAutoPadding(false)
        bytes.set(cipher.update(bytes))
      }
    }
  }
}

/** What noble needs for the blocks alone; in Adiantum, for the stream alone. */
export function nobleAlone({ mode, direction, key }: SectorWork): Way {
  if (isAdiantum(mode)) {
    const stream = mode === "adiantum-xchacha12" ? chacha12 : chacha20
    const nonce = new Uint8Array(12)
    return ({ bytes }) => void stream(key, nonce, bytes)
  }
  const blockKey = opensslKey(mode, key).subarray(0, BLOCK_KEY_SIZE)
  return ({ bytes }) => void ecb(blockKey, { disablePadding: true })[direction](bytes)
}

export function isAdiantum(mode: Mode): boolean {
  return mode === "adiantum-xchacha12" || mode === "adiantum-xchacha20"
}

function opensslKey(mode: Mode, key: Uint8Array): Uint8Array {
  return mode === "aes-lrw" ? key.subarray(0, BLOCK_KEY_SIZE) : key
}

function applyTweaks(bytes: Uint8Array, tweaks: Uint8Array): void {
  for (let index = 0; index < bytes.length; index++) bytes[index] = (bytes[index] ?? 0) ^ (tweaks[index] ?? 0)
}
