import { createCipheriv, createDecipheriv } from "node:crypto"
import { ecb } from "@noble/ciphers/aes.js"
import type { RingRequest } from "./harness/request-ring.ts"

export type Mode = "aes-xts" | "aes-cbc-essiv" | "aes-lrw"
export type Direction = "encrypt" | "decrypt"

/** What a way of enciphering sectors is told; `essivKey` is the hash of `key`. */
export interface SectorWork {
  readonly mode: Mode
  readonly direction: Direction
  readonly key: Uint8Array
  readonly essivKey: Uint8Array
}

type Way = (request: RingRequest) => void

/** What OpenSSL has for a mode; of LRW only the blocks. */
export const OPENSSL_NAMES: Readonly<Record<Mode, string>> = {
  "aes-xts": "aes-256-xts",
  "aes-cbc-essiv": "aes-256-cbc",
  "aes-lrw": "aes-256-ecb",
}
/** Two keys; one; one and 16 bytes for the tweaks. */
export const KEY_SIZES: Readonly<Record<Mode, number>> = { "aes-xts": 64, "aes-cbc-essiv": 32, "aes-lrw": 48 }
const BLOCK_KEY_SIZE = 32
/** What one call of the raw cipher gets: larger ones are slower, for their output no longer fits the caches. */
const RAW_PIECE_SIZE = 64 * 1024
const IV_SIZE = 16
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

/** The obvious code: an object for each sector. LRW, which OpenSSL does not have, gets its tweaks for nothing. */
export function objectPerSector({ mode, direction, key, essivKey }: SectorWork): Way {
  const create = direction === "encrypt" ? createCipheriv : createDecipheriv
  const name = OPENSSL_NAMES[mode]
  const cipherKey = opensslKey(mode, key)
  const essiv = createCipheriv("aes-256-ecb", essivKey, null)
  const tweaks = new Uint8Array(SECTOR_SIZE_MAX).fill(0x5a)
  return ({ sectors }) => {
    for (const { bytes, iv } of sectors) {
      if (mode === "aes-lrw") {
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

/** What noble needs for the blocks alone. */
export function nobleBlocks({ mode, direction, key }: SectorWork): Way {
  const blockKey = opensslKey(mode, key).subarray(0, BLOCK_KEY_SIZE)
  return ({ bytes }) => void ecb(blockKey, { disablePadding: true })[direction](bytes)
}

function opensslKey(mode: Mode, key: Uint8Array): Uint8Array {
  return mode === "aes-lrw" ? key.subarray(0, BLOCK_KEY_SIZE) : key
}

function applyTweaks(bytes: Uint8Array, tweaks: Uint8Array): void {
  for (let index = 0; index < bytes.length; index++) bytes[index] = (bytes[index] ?? 0) ^ (tweaks[index] ?? 0)
}
