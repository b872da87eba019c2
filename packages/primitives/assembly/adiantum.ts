// Adiantum over sectors of whole blocks: all but the block cipher. Crowley, Biggers: "Adiantum: length-preserving
// encryption for entry-level processors", 2018. Additions, XORs, rotations and products only: constant time.

import { fourBlocks } from "./parts/chacha-block"
import { poly1305 } from "./parts/poly1305"

/** Bytes of a sector's right part: the block that is enciphered. What lies before it is the left part. */
const RIGHT_SIZE: usize = 16
/** Bytes of message that NH takes at a time. */
const NH_MESSAGE_SIZE: usize = 1024
/** Of the hash keys: K_T, K_M, and then K_N. */
const MESSAGE_KEY_OFFSET: usize = 16
const NH_KEY_OFFSET: usize = 32

/** The products of words 0 and 2, and of words 1 and 3. */
// @ts-ignore: decorator
@inline
function products(x: v128): v128 {
  return i64x2.extmul_low_i32x4_u(x, v128.shuffle<i32>(x, x, 2, 3, 2, 3))
}

/** NH: 32 bytes at `to`, one number of 64 bits for each of four passes, of `size` bytes, a multiple of 16. */
function hashWords(to: usize, message: usize, size: usize, key: usize): void {
  let sum0 = i64x2.splat(0)
  let sum1 = i64x2.splat(0)
  let sum2 = i64x2.splat(0)
  let sum3 = i64x2.splat(0)
  let key0 = v128.load(key)
  let key1 = v128.load(key, 16)
  let key2 = v128.load(key, 32)
  for (const end = message + size; message < end; message += 16) {
    const words = v128.load(message)
    const key3 = v128.load(key, 48)
    sum0 = i64x2.add(sum0, products(i32x4.add(words, key0)))
    sum1 = i64x2.add(sum1, products(i32x4.add(words, key1)))
    sum2 = i64x2.add(sum2, products(i32x4.add(words, key2)))
    sum3 = i64x2.add(sum3, products(i32x4.add(words, key3)))
    // Each pass begins one vector of key after the one before it.
    key0 = key1
    key1 = key2
    key2 = key3
    key += 16
  }
  v128.store(to, i64x2.add(v128.shuffle<i64>(sum0, sum1, 0, 2), v128.shuffle<i64>(sum0, sum1, 1, 3)))
  v128.store(to, i64x2.add(v128.shuffle<i64>(sum2, sum3, 0, 2), v128.shuffle<i64>(sum2, sum3, 1, 3)), 16)
}

/**
 * 16 bytes at `to`: `addend` (which may be at `to`) plus the hash of a left part and its tweak of 32 bytes, modulo 2^128.
 * `scratch`: 48 bytes, or 32 for each 1024 of the left part where that is more.
 */
function addHash(
  to: usize,
  addend: usize,
  left: usize,
  leftSize: usize,
  tweak: usize,
  keys: usize,
  scratch: usize,
): void {
  store<u64>(scratch, <u64>leftSize * 8)
  store<u64>(scratch, 0, 8)
  v128.store(scratch, v128.load(tweak), 16)
  v128.store(scratch, v128.load(tweak, 16), 32)
  poly1305(to, scratch, 48, keys, addend)
  let end = scratch
  for (; leftSize > NH_MESSAGE_SIZE; leftSize -= NH_MESSAGE_SIZE) {
    hashWords(end, left, NH_MESSAGE_SIZE, keys + NH_KEY_OFFSET)
    left += NH_MESSAGE_SIZE
    end += 32
  }
  if (leftSize > 0) {
    hashWords(end, left, leftSize, keys + NH_KEY_OFFSET)
    end += 32
  }
  poly1305(to, scratch, end - scratch, keys + MESSAGE_KEY_OFFSET, to)
}

/** Each sector's right part plus its hash: 16 bytes a sector at `sums`. `tweaks`: 32 bytes a sector. */
export function add(
  sums: usize,
  sectors: usize,
  sectorSize: usize,
  tweaks: usize,
  keys: usize,
  sectorCount: usize,
  scratch: usize,
): void {
  const leftSize = sectorSize - RIGHT_SIZE
  for (; sectorCount > 0; sectorCount--) {
    addHash(sums, sectors + leftSize, sectors, leftSize, tweaks, keys, scratch)
    sums += RIGHT_SIZE
    sectors += sectorSize
    tweaks += 32
  }
}

/** Each sector's right part becomes its 16 bytes at `sums`, less the sector's hash. */
export function subtract(
  sectors: usize,
  sums: usize,
  sectorSize: usize,
  tweaks: usize,
  keys: usize,
  sectorCount: usize,
  scratch: usize,
): void {
  const leftSize = sectorSize - RIGHT_SIZE
  for (; sectorCount > 0; sectorCount--) {
    const right = sectors + leftSize
    // x - h = ~(~x + h)
    v128.store(right, v128.not(v128.load(sums)))
    addHash(right, right, sectors, leftSize, tweaks, keys, scratch)
    v128.store(right, v128.not(v128.load(right)))
    sums += RIGHT_SIZE
    sectors += sectorSize
    tweaks += 32
  }
}

/** target = source xor the keystream of a subkey, from block 0 on, under the nonce 1, 0 ... `blocks`: 256 bytes. */
function maskLeft(
  target: usize,
  source: usize,
  size: usize,
  subkey: usize,
  doubleRoundCount: u32,
  blocks: usize,
): void {
  let counter = i32x4(0, 1, 2, 3)
  for (const end = source + size; source < end; ) {
    fourBlocks(blocks, subkey, counter, i32x4.splat(0), i32x4.splat(1), i32x4.splat(0), doubleRoundCount)
    counter = i32x4.add(counter, i32x4.splat(4))
    const pieceEnd = min(end, source + 256)
    for (let mask = blocks; source < pieceEnd; mask += 16) {
      v128.store(target, v128.xor(v128.load(source), v128.load(mask)))
      source += 16
      target += 16
    }
  }
}

/**
 * The left parts of all sectors, XORed with XChaCha under each sector's nonce, 16 bytes at `nonces`, and then 1, 0 ...: the
 * nonces' first parts make subkeys (HChaCha), four at a time. Up to 48 bytes behind the nonces are read, whatever they are.
 * `scratch`: 384 bytes.
 */
export function mask(
  target: usize,
  source: usize,
  sectorSize: usize,
  nonces: usize,
  key: usize,
  doubleRoundCount: u32,
  sectorCount: usize,
  scratch: usize,
): void {
  const leftSize = sectorSize - RIGHT_SIZE
  const blocks = scratch + 128
  while (sectorCount > 0) {
    const nonce0 = v128.load(nonces)
    const nonce1 = v128.load(nonces, 16)
    const nonce2 = v128.load(nonces, 32)
    const nonce3 = v128.load(nonces, 48)
    const low01 = v128.shuffle<i32>(nonce0, nonce1, 0, 4, 1, 5)
    const low23 = v128.shuffle<i32>(nonce2, nonce3, 0, 4, 1, 5)
    const high01 = v128.shuffle<i32>(nonce0, nonce1, 2, 6, 3, 7)
    const high23 = v128.shuffle<i32>(nonce2, nonce3, 2, 6, 3, 7)
    fourBlocks(
      blocks,
      key,
      v128.shuffle<i64>(low01, low23, 0, 2),
      v128.shuffle<i64>(low01, low23, 1, 3),
      v128.shuffle<i64>(high01, high23, 0, 2),
      v128.shuffle<i64>(high01, high23, 1, 3),
      doubleRoundCount,
    )
    // HChaCha is the first and the last row of a block without the addition of the input, which is taken back.
    for (let lane: usize = 0; lane < 4; lane++) {
      const block = blocks + lane * 64
      const constants = i32x4(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574)
      v128.store(scratch + lane * 32, i32x4.sub(v128.load(block), constants))
      v128.store(scratch + lane * 32, i32x4.sub(v128.load(block, 48), v128.load(nonces + lane * 16)), 16)
    }
    const laneCount = min(sectorCount, 4)
    for (let lane: usize = 0; lane < laneCount; lane++) {
      maskLeft(target, source, leftSize, scratch + lane * 32, doubleRoundCount, blocks)
      target += sectorSize
      source += sectorSize
    }
    nonces += 64
    sectorCount -= laneCount
  }
}
