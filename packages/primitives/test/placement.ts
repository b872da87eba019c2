import fc from "fast-check"

/** Where a view lies in its buffer. */
export interface Placement {
  /** Bytes before the view: 1 makes every 32-bit access of it unaligned. */
  readonly offset: number
  readonly isShared: boolean
}

const GUARD_BYTE = 0xa5
const GUARD_SIZE = 5

/** Views at any alignment, in plain and in shared memory. */
export const placements: fc.Arbitrary<Placement> = fc.record({
  offset: fc.integer({ min: 0, max: 9 }),
  isShared: fc.boolean(),
})

/** A copy of `bytes` in a buffer of its own, between guard bytes. */
export function place(bytes: Uint8Array, { offset, isShared }: Placement): Uint8Array {
  const length = offset + bytes.length + GUARD_SIZE
  const memory = new Uint8Array(isShared ? new SharedArrayBuffer(length) : new ArrayBuffer(length)).fill(GUARD_BYTE)
  memory.set(bytes, offset)
  return memory.subarray(offset, offset + bytes.length)
}

/** Whether nothing was written around a placed view. */
export function isGuarded(view: Uint8Array): boolean {
  const memory = new Uint8Array(view.buffer)
  const end = view.byteOffset + view.length
  return [...memory.subarray(0, view.byteOffset), ...memory.subarray(end)].every((byte) => byte === GUARD_BYTE)
}

/** Exactly `length` bytes. */
export function bytesOf(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length })
}

/** `length` bytes that differ from place to place, for tests that need many. */
export function patternBytes(length: number, seed = 1): Uint8Array {
  let state = seed
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

/** Flips one bit in place; bit 0 is the lowest of byte 0. */
export function flipBit(bytes: Uint8Array, bit: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const index = Math.floor(bit / 8)
  view.setUint8(index, view.getUint8(index) ^ (1 << (bit % 8)))
}
