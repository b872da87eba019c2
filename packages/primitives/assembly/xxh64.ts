// XXH64 with seed 0 of many messages. Source: the xxHash specification, "XXH64 algorithm description".

const PRIME_1: u64 = 0x9e3779b185ebca87
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f
const PRIME_3: u64 = 0x165667b19e3779f9
const PRIME_4: u64 = 0x85ebca77c2b2ae63
const PRIME_5: u64 = 0x27d4eb2f165667c5

// @ts-ignore: decorator
@inline
function round(accumulator: u64, lane: u64): u64 {
  return rotl<u64>(accumulator + lane * PRIME_2, 31) * PRIME_1
}

// @ts-ignore: decorator
@inline
function merge(sum: u64, accumulator: u64): u64 {
  return (sum ^ round(0, accumulator)) * PRIME_1 + PRIME_4
}

function digestOne(from: usize, size: usize): u64 {
  const end = from + size
  let sum = PRIME_5
  if (size >= 32) {
    let first = PRIME_1 + PRIME_2
    let second = PRIME_2
    let third: u64 = 0
    let fourth: u64 = 0 - PRIME_1
    for (; from + 32 <= end; from += 32) {
      first = round(first, load<u64>(from))
      second = round(second, load<u64>(from, 8))
      third = round(third, load<u64>(from, 16))
      fourth = round(fourth, load<u64>(from, 24))
    }
    sum = rotl<u64>(first, 1) + rotl<u64>(second, 7) + rotl<u64>(third, 12) + rotl<u64>(fourth, 18)
    sum = merge(merge(merge(merge(sum, first), second), third), fourth)
  }
  sum += <u64>size
  for (; from + 8 <= end; from += 8) sum = rotl<u64>(sum ^ round(0, load<u64>(from)), 27) * PRIME_1 + PRIME_4
  if (from + 4 <= end) {
    sum = rotl<u64>(sum ^ (<u64>load<u32>(from) * PRIME_1), 23) * PRIME_2 + PRIME_3
    from += 4
  }
  for (; from < end; from++) sum = rotl<u64>(sum ^ (<u64>load<u8>(from) * PRIME_5), 11) * PRIME_1
  sum = (sum ^ (sum >> 33)) * PRIME_2
  sum = (sum ^ (sum >> 29)) * PRIME_3
  return sum ^ (sum >> 32)
}

/** The digests of `count` messages of `size` bytes, which stand one after the other, as u64 at `target`. */
export function digest(source: usize, size: usize, count: usize, target: usize): void {
  for (; count > 0; count--) {
    store<u64>(target, digestOne(source, size))
    source += size
    target += 8
  }
}
