/** A reproducible stream of numbers for tests. NOT cryptographic: nothing that it gives is fit for a key. */
export interface SeededRandom {
  /** 0 ... 2^32 - 1. */
  nextUint32(): number
  /** A whole number in 0 ... `bound` - 1; `bound` is at most 2^53. */
  below(bound: number): number
  fill(bytes: Uint8Array): void
  bytes(length: number): Uint8Array<ArrayBuffer>
  /** One of a non-empty list. */
  pick<Item>(items: readonly Item[]): Item
  /** A new list of the same items in another order. */
  shuffle<Item>(items: readonly Item[]): Item[]
}

/**
 * The stream of a seed, or one of its named streams, which are independent of each other.
 *
 * Source: sfc32 of PractRand (Chris Doty-Humphrey, public domain), its state filled from the seed and an FNV-1a hash of
 * the stream's name.
 * @throws RangeError if `seed` is not a safe integer.
 */
export function seededRandom(seed: number, stream = ""): SeededRandom {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed: expected a safe integer, got ${seed}`)
  const nextUint32 = generator([hash32(stream), seed % 2 ** 32, Math.floor(seed / 2 ** 32), 1])

  const below = (bound: number): number => {
    const high = bound > 2 ** 32 ? (nextUint32() % 2 ** 21) * 2 ** 32 : 0
    return (high + nextUint32()) % bound
  }
  const pick = <Item>(items: readonly Item[]): Item => {
    if (items.length === 0) throw new RangeError("pick: expected a non-empty list")
    return items[below(items.length)] as Item
  }
  const fill = (bytes: Uint8Array): void => {
    for (let start = 0; start < bytes.length; start += 4) {
      let word = nextUint32()
      for (let index = start; index < Math.min(start + 4, bytes.length); index++) {
        bytes[index] = word
        word >>>= 8
      }
    }
  }
  const bytes = (length: number): Uint8Array<ArrayBuffer> => {
    const filled = new Uint8Array(length)
    fill(filled)
    return filled
  }
  const shuffle = <Item>(items: readonly Item[]): Item[] => {
    const rest = [...items]
    return items.map(() => rest.splice(below(rest.length), 1)[0] as Item)
  }
  return { nextUint32, below, fill, bytes, pick, shuffle }
}

/** The words of the generator are 32 bits wide, and wrap: no offset ever comes near them. */
function generator(state: readonly [number, number, number, number]): () => number {
  let [a, b, c, counter] = state
  const next = (): number => {
    const word = (a + b + counter) >>> 0
    counter = (counter + 1) >>> 0
    a = (b ^ (b >>> 9)) >>> 0
    b = (c + (c << 3)) >>> 0
    c = (((c << 21) | (c >>> 11)) + word) >>> 0
    return word
  }
  for (let round = 0; round < 12; round++) next()
  return next
}

/** FNV-1a over UTF-16 code units. */
function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  return hash
}
