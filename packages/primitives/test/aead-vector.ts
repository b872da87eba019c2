import { readFileSync } from "node:fs"
import { hexToBytes as bytes, bytesToHex as hex } from "@noble/hashes/utils.js"
import { expect } from "vitest"
import type { AeadCipher } from "../src/engine.ts"

/** A known answer, in hex. */
export interface AeadVector {
  readonly name: string
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly ciphertext: string
  readonly tag: string
  /** A vector without it has to fail. */
  readonly plaintext?: string
}

/** The vectors of a file of this folder. */
export function readAeadVectors(file: string, list = "vectors"): readonly AeadVector[] {
  const text = readFileSync(new URL(file, import.meta.url), "utf8")
  return (JSON.parse(text) as Readonly<Record<string, readonly AeadVector[]>>)[list] ?? []
}

/** Opens a vector, and seals it again, `count` times in one request, and destroys the cipher. */
export function expectAeadVector(cipher: AeadCipher, vector: AeadVector, count: number): void {
  const unitSize = vector.ciphertext.length / 2
  const units = { unitSize, ivs: bytes(vector.iv.repeat(count)), aads: bytes(vector.aad.repeat(count)) }
  const target = new Uint8Array(count * unitSize).fill(0xee)
  const sealed = {
    ...units,
    source: bytes(vector.ciphertext.repeat(count)),
    tags: bytes(vector.tag.repeat(count)),
  }
  const isValid = vector.plaintext !== undefined
  expect(cipher.decryptUnits({ ...sealed, target }), vector.name).toBe(isValid ? -1 : 0)
  expect(hex(target), vector.name).toBe((vector.plaintext ?? "00".repeat(unitSize)).repeat(count))
  if (isValid) {
    const tags = new Uint8Array(count * 16)
    cipher.encryptUnits({ ...units, source: target, target, tags })
    expect([hex(target), hex(tags)], vector.name).toEqual([hex(sealed.source), hex(sealed.tags)])
  }
  cipher.destroy()
}
