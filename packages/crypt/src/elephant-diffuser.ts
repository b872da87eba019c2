/**
 * The two diffusers of BitLocker's Elephant, over a sector as words of 32 bits, a power of two of them, at least eight: each
 * word gets a mix of two others added, around the sector five times (A) and three times (B). Written here are the
 * inverses, which is what encrypts: they go backwards and subtract. They have no key.
 *
 * Source: Ferguson, AES-CBC + Elephant diffuser (2006), 4.4 and 4.5.
 */
export function diffuse(words: Int32Array): void {
  for (let cycle = 0; cycle < A_CYCLES; cycle++) subtractA(words)
  for (let cycle = 0; cycle < B_CYCLES; cycle++) subtractB(words)
}

/** Undoes `diffuse`. */
export function undiffuse(words: Int32Array): void {
  for (let cycle = 0; cycle < B_CYCLES; cycle++) addB(words)
  for (let cycle = 0; cycle < A_CYCLES; cycle++) addA(words)
}

const A_CYCLES = 5
const B_CYCLES = 3

// The rotations come around every four words: 9, 0, 13, 0 in A, 0, 10, 0, 25 in B. Each loop keeps five words, by their
// distance to `at`, and does four: the array wraps around, and so few looks at it are what makes the speed.

function addA(words: Int32Array): void {
  const end = words.length
  let [m5, m4, m3, m2, m1] = [words[end - 5]!, words[end - 4]!, words[end - 3]!, words[end - 2]!, words[end - 1]!]
  for (let at = 0; at < end; at += 4) {
    const w0 = (words[at]! + (m2 ^ rotate(m5, 9))) | 0
    const w1 = (words[at + 1]! + (m1 ^ m4)) | 0
    const w2 = (words[at + 2]! + (w0 ^ rotate(m3, 13))) | 0
    const w3 = (words[at + 3]! + (w1 ^ m2)) | 0
    words[at] = w0
    words[at + 1] = w1
    words[at + 2] = w2
    words[at + 3] = w3
    m5 = m1
    m4 = w0
    m3 = w1
    m2 = w2
    m1 = w3
  }
}

function subtractA(words: Int32Array): void {
  const mask = words.length - 1
  const top = words.length - 4
  let [m1, w0, w1, w2, w3] = [words[top - 1]!, words[top]!, words[top + 1]!, words[top + 2]!, words[top + 3]!]
  for (let at = top; at >= 0; at -= 4) {
    const m2 = words[(at - 2) & mask]!
    const m3 = words[(at - 3) & mask]!
    const m4 = words[(at - 4) & mask]!
    const m5 = words[(at - 5) & mask]!
    words[at + 3] = w3 - (w1 ^ m2)
    words[at + 2] = w2 - (w0 ^ rotate(m3, 13))
    words[at + 1] = w1 - (m1 ^ m4)
    words[at] = w0 - (m2 ^ rotate(m5, 9))
    w3 = m1
    w2 = m2
    w1 = m3
    w0 = m4
    m1 = m5
  }
}

function addB(words: Int32Array): void {
  const mask = words.length - 1
  let [w0, w1, w2, w3, w4] = [words[0]!, words[1]!, words[2]!, words[3]!, words[4]!]
  for (let at = 0; at < words.length; at += 4) {
    const w5 = words[(at + 5) & mask]!
    const w6 = words[(at + 6) & mask]!
    const w7 = words[(at + 7) & mask]!
    const w8 = words[(at + 8) & mask]!
    words[at] = w0 + (w2 ^ w5)
    words[at + 1] = w1 + (w3 ^ rotate(w6, 10))
    words[at + 2] = w2 + (w4 ^ w7)
    words[at + 3] = w3 + (w5 ^ rotate(w8, 25))
    w0 = w4
    w1 = w5
    w2 = w6
    w3 = w7
    w4 = w8
  }
}

function subtractB(words: Int32Array): void {
  let [w4, w5, w6, w7, w8] = [words[0]!, words[1]!, words[2]!, words[3]!, words[4]!]
  for (let at = words.length - 4; at >= 0; at -= 4) {
    const w3 = (words[at + 3]! - (w5 ^ rotate(w8, 25))) | 0
    const w2 = (words[at + 2]! - (w4 ^ w7)) | 0
    const w1 = (words[at + 1]! - (w3 ^ rotate(w6, 10))) | 0
    const w0 = (words[at]! - (w2 ^ w5)) | 0
    words[at + 3] = w3
    words[at + 2] = w2
    words[at + 1] = w1
    words[at] = w0
    w8 = w4
    w7 = w3
    w6 = w2
    w5 = w1
    w4 = w0
  }
}

function rotate(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count))
}
