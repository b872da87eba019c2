/** Bytes that say which change they came from and which block they belong to: no two pieces of 16 bytes are equal. */
export function changeContent(serial: number, block: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let state = (Math.imul(serial + 1, 0x9e3779b1) ^ Math.imul(block + 1, 0x85ebca6b)) >>> 0 || 1
  for (let at = 0; at < length; at++) {
    // xorshift32 (Marsaglia), a byte or a word at a time.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    if (at + 4 <= length) {
      view.setUint32(at, state)
      at += 3
    } else bytes[at] = state
  }
  return bytes
}
