// XOR of two pieces of memory.

/** target = first xor second. `length` is a multiple of 16; `target` is one of the two or overlaps neither. */
export function xor(target: usize, first: usize, second: usize, length: usize): void {
  const end = first + length
  for (; first + 64 <= end; first += 64) {
    v128.store(target, v128.xor(v128.load(first), v128.load(second)))
    v128.store(target, v128.xor(v128.load(first, 16), v128.load(second, 16)), 16)
    v128.store(target, v128.xor(v128.load(first, 32), v128.load(second, 32)), 32)
    v128.store(target, v128.xor(v128.load(first, 48), v128.load(second, 48)), 48)
    target += 64
    second += 64
  }
  for (; first < end; first += 16) {
    v128.store(target, v128.xor(v128.load(first), v128.load(second)))
    target += 16
    second += 16
  }
}
