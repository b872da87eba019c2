// ChaCha20 and Poly1305 over batches of units. RFC 8439. Additions, XORs, rotations and products only: constant time.

import { fourBlocks } from "./parts/chacha-block"
import { poly1305 } from "./parts/poly1305"

/** ChaCha20. */
const DOUBLE_ROUND_COUNT: u32 = 10

/**
 * `blockCount` blocks of keystream for every unit, counters from 0 on: the first half of a unit's first block is its key
 * of Poly1305 (2.6), the other blocks are for its data (2.8). `ivs`: 12 bytes a unit. Up to three blocks more are
 * written than were asked for: the lanes are filled without regard to where a unit ends. `scratch`: 64 bytes.
 */
export function keystream(
  to: usize,
  key: usize,
  ivs: usize,
  blockCount: u32,
  unitCount: usize,
  scratch: usize,
): void {
  let counter: u32 = 0
  let unit: usize = 0
  while (unit < unitCount) {
    for (let lane: usize = 0; lane < 16; lane += 4) {
      const iv = ivs + unit * 12
      store<u32>(scratch + lane, counter)
      store<u32>(scratch + lane, load<u32>(iv), 16)
      store<u32>(scratch + lane, load<u32>(iv, 4), 32)
      store<u32>(scratch + lane, load<u32>(iv, 8), 48)
      counter++
      if (counter == blockCount) {
        counter = 0
        unit++
      }
    }
    fourBlocks(
      to,
      key,
      v128.load(scratch),
      v128.load(scratch, 16),
      v128.load(scratch, 32),
      v128.load(scratch, 48),
      DOUBLE_ROUND_COUNT,
    )
    to += 256
  }
}

/** The last block that Poly1305 takes of every unit: the lengths of AAD and ciphertext, little-endian (2.8). */
export function lengths(to: usize, stride: usize, aadSize: u32, unitSize: u32, unitCount: usize): void {
  for (; unitCount > 0; unitCount--) {
    store<u64>(to, aadSize)
    store<u64>(to, unitSize, 8)
    to += stride
  }
}

/** The tags of all frames, 16 bytes each: frames of `size` bytes at one stride, their keys at another. */
export function authenticate(
  to: usize,
  frames: usize,
  stride: usize,
  size: usize,
  keys: usize,
  keyStride: usize,
  unitCount: usize,
): void {
  for (; unitCount > 0; unitCount--) {
    poly1305(to, frames, size, keys, keys + 16)
    to += 16
    frames += stride
    keys += keyStride
  }
}
