// AEAD units as their authenticator reads them, one frame each: AAD, ciphertext, lengths, every part in whole blocks.

/** `count` pieces of `size` bytes, a multiple of 16, from one stride to another. */
export function move(to: usize, toStride: usize, from: usize, fromStride: usize, size: usize, count: usize): void {
  for (; count > 0; count--) {
    for (let at: usize = 0; at < size; at += 16) v128.store(to + at, v128.load(from + at))
    to += toStride
    from += fromStride
  }
}

/** `move` with an XOR: to = from xor mask, whose pieces lie `maskStride` bytes apart. */
export function mask(
  to: usize,
  toStride: usize,
  from: usize,
  fromStride: usize,
  mask: usize,
  maskStride: usize,
  size: usize,
  count: usize,
): void {
  for (; count > 0; count--) {
    for (let at: usize = 0; at < size; at += 16) {
      v128.store(to + at, v128.xor(v128.load(from + at), v128.load(mask + at)))
    }
    to += toStride
    from += fromStride
    mask += maskStride
  }
}

/** The AAD of every unit, filled up with zeros to whole blocks: `paddedSize` bytes at the start of its frame. */
export function pad(
  frames: usize,
  stride: usize,
  aads: usize,
  aadSize: usize,
  paddedSize: usize,
  count: usize,
): void {
  for (; count > 0; count--) {
    if (paddedSize > 0) v128.store(frames + paddedSize - 16, i64x2(0, 0))
    memory.copy(frames, aads, aadSize)
    frames += stride
    aads += aadSize
  }
}
