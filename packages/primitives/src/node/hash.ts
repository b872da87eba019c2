import * as crypto from "node:crypto"
import type { HashBatch, HmacHashName } from "../engine.ts"
import { portableHash, portableHmac } from "../portable/hash.ts"
import { PIECE_BYTES } from "../scratch.ts"
import { digestEach, type UnitDigest } from "../unit-hash.ts"
import { type MessageSlot, messageSize, messageSlot } from "./message-slot.ts"

/** `crypto.hash` of `node:crypto`: a digest without an object for it. */
export type OneShotHash = (name: string, message: Uint8Array, encoding: "binary") => string

/** Missing in some hosts that are like Node; there a digest is an object of its own. */
export const hostOneShot: OneShotHash | undefined = crypto.hash

/** What OpenSSL calls a hash, and its sizes in bytes. */
interface HostHash {
  readonly name: string
  readonly digestSize: number
  readonly blockSize: number
}

/** OpenSSL has BLAKE2b at its full length only: the shorter one is noble's. */
const HASHES: Readonly<Record<Exclude<HmacHashName, "blake2b-256">, HostHash>> = {
  md5: { name: "md5", digestSize: 16, blockSize: 64 },
  rmd160: { name: "ripemd160", digestSize: 20, blockSize: 64 },
  sha1: { name: "sha1", digestSize: 20, blockSize: 64 },
  sha224: { name: "sha224", digestSize: 28, blockSize: 64 },
  sha256: { name: "sha256", digestSize: 32, blockSize: 64 },
  sha384: { name: "sha384", digestSize: 48, blockSize: 128 },
  sha512: { name: "sha512", digestSize: 64, blockSize: 128 },
  "sha3-224": { name: "sha3-224", digestSize: 28, blockSize: 144 },
  "sha3-256": { name: "sha3-256", digestSize: 32, blockSize: 136 },
  "sha3-384": { name: "sha3-384", digestSize: 48, blockSize: 104 },
  "sha3-512": { name: "sha3-512", digestSize: 64, blockSize: 72 },
  "blake2b-512": { name: "blake2b512", digestSize: 64, blockSize: 128 },
  "blake2s-256": { name: "blake2s256", digestSize: 32, blockSize: 64 },
}
const INNER_PAD = 0x36
const OUTER_PAD = 0x5c

export function nodeHash(hashName: HmacHashName, oneShot: OneShotHash | undefined): UnitDigest {
  const host = hostHash(hashName)
  if (host === undefined) return portableHash(hashName)
  const { name, digestSize } = host
  const slot = oneShot && messageSlot(new Uint8Array(0), (message) => oneShot(name, message, "binary"))
  const plain: UnitDigest = {
    digestSize,
    digestInto(parts, target) {
      const state = crypto.createHash(name)
      for (const part of parts) state.update(part)
      target.set(state.digest())
    },
    destroy: () => slot?.wipe(),
  }
  if (slot === undefined) return plain
  return {
    ...slottedDigest(plain, slot),
    matchesPiece(piece, digests) {
      const unitCount = digests.length / digestSize
      return isShort(piece, unitCount) && slot.digestText(piece, unitCount) === bufferOf(digests).toString("binary")
    },
  }
}

/**
 * RFC 2104. The slots hold the two padded keys. Digests pass through strings, of which the host keeps copies until it
 * collects them: an inner digest tells nothing of the key, and an outer one is a tag.
 */
export function nodeHmac(hashName: HmacHashName, key: Uint8Array, oneShot: OneShotHash | undefined): UnitDigest {
  const host = hostHash(hashName)
  if (host === undefined) return portableHmac(hashName, key)
  const { name, digestSize, blockSize } = host
  const ownKey = new Uint8Array(key)
  const inner = paddedKey(name, ownKey, INNER_PAD, blockSize)
  const outer = paddedKey(name, ownKey, OUTER_PAD, blockSize, digestSize)
  const outerText = Buffer.from(outer.buffer)
  const slot =
    oneShot &&
    messageSlot(inner, (message) => {
      outerText.write(oneShot(name, message, "binary"), blockSize, "binary")
      return oneShot(name, outer, "binary")
    })
  const plain: UnitDigest = {
    digestSize,
    digestInto(parts, target) {
      const state = crypto.createHmac(name, ownKey)
      for (const part of parts) state.update(part)
      target.set(state.digest())
    },
    destroy() {
      for (const secret of [ownKey, inner, outer]) secret.fill(0)
      slot?.wipe()
    },
  }
  return slot ? slottedDigest(plain, slot) : plain
}

/** Undefined where this build of OpenSSL does not offer it: MD5 and RIPEMD-160 depend on its configuration. */
function hostHash(hashName: HmacHashName): HostHash | undefined {
  if (hashName === "blake2b-256") return undefined
  try {
    crypto.createHash(HASHES[hashName].name)
    return HASHES[hashName]
  } catch {
    return undefined
  }
}

/** Short messages go through the slot; long ones are not copied, and an object each is then nothing. */
function slottedDigest(plain: UnitDigest, slot: MessageSlot): UnitDigest {
  return {
    ...plain,
    digestPiece(piece, digests) {
      const unitCount = digests.length / plain.digestSize
      if (isShort(piece, unitCount)) bufferOf(digests).write(slot.digestText(piece, unitCount), "binary")
      else digestEach(plain, piece, digests)
    },
  }
}

function isShort(piece: HashBatch, unitCount: number): boolean {
  return messageSize(piece, unitCount) <= PIECE_BYTES
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The key, or its digest if it is longer than a block, zeroes behind it, every byte XOR `pad`; then room. */
function paddedKey(
  name: string,
  key: Uint8Array,
  pad: number,
  blockSize: number,
  roomSize = 0,
): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(blockSize + roomSize)
  padded.set(key.length > blockSize ? crypto.createHash(name).update(key).digest() : key)
  for (let index = 0; index < blockSize; index++) padded[index]! ^= pad
  return padded
}
