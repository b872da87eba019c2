import { chachaBinary } from "./chacha-binary.ts"
import type { Kernels } from "./kernels.ts"
import { oncePerEngine } from "./once.ts"

/** ChaCha20 and Poly1305 in WebAssembly: see assembly/chacha.ts. Addresses, and sizes in bytes. */
export interface ChachaKernel {
  keystream(to: number, key: number, ivs: number, blockCount: number, unitCount: number, scratch: number): void
  lengths(to: number, stride: number, aadSize: number, unitSize: number, unitCount: number): void
  authenticate(
    to: number,
    frames: number,
    stride: number,
    size: number,
    keys: number,
    keyStride: number,
    unitCount: number,
  ): void
}

/** Bytes that `keystream` works in. */
export const KEYSTREAM_SCRATCH_SIZE = 64

/** RFC 8439, 2.3.2: the start of the block with counter 1 for the key 00, 01 ... 1f. */
const NONCE = [0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0]
const BLOCK = [0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4]
/** RFC 8439, A.3, test vectors 7 (all that overflows) and 10 (carries); what is missing at the end is zero. */
const FULL_KEY = [2]
const FULL_TAG = [3]
const CARRY_KEY = [1, 0, 0, 0, 0, 0, 0, 0, 4]
const CARRY_MESSAGE = [
  ...[0xe3, 0x35, 0x94, 0xd7, 0x50, 0x5e, 0x43, 0xb9, 0, 0, 0, 0, 0, 0, 0, 0],
  ...[0x33, 0x94, 0xd7, 0x50, 0x5e, 0x43, 0x79, 0xcd, 1, 0, 0, 0, 0, 0, 0, 0],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ...[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
]
const CARRY_TAG = [0x14, 0, 0, 0, 0, 0, 0, 0, 0x55]

/** The kernel, once it gave the known answers; `undefined` if it did not. */
export const loadChachaKernel: (kernels: Kernels) => ChachaKernel | undefined = oncePerEngine((kernels) => {
  const kernel = kernels.load(chachaBinary) as unknown as ChachaKernel
  const isRight =
    hasKnownKeystream(kernels, kernel) &&
    hasKnownLengths(kernels, kernel) &&
    hasKnownTag(kernels, kernel, FULL_KEY, Array<number>(16).fill(0xff), FULL_TAG) &&
    hasKnownTag(kernels, kernel, CARRY_KEY, CARRY_MESSAGE, CARRY_TAG)
  return isRight ? kernel : undefined
})

/** Three units of two blocks: the second block of each, wherever the lanes put it. */
function hasKnownKeystream({ bytes, work }: Kernels, kernel: ChachaKernel): boolean {
  const key = work + 1024
  const ivs = key + 32
  bytes.set(
    Array.from({ length: 32 }, (_, index) => index),
    key,
  )
  for (let unit = 0; unit < 3; unit++) bytes.set(NONCE, ivs + unit * NONCE.length)
  kernel.keystream(work, key, ivs, 2, 3, ivs + 64)
  return [0, 1, 2].every((unit) => BLOCK.every((byte, index) => bytes[work + unit * 128 + 64 + index] === byte))
}

function hasKnownLengths({ bytes, work }: Kernels, kernel: ChachaKernel): boolean {
  kernel.lengths(work, 16, 12, 0x0102, 2)
  const expected = [12, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]
  return bytes.subarray(work, work + 32).every((byte, index) => byte === expected[index % 16])
}

function hasKnownTag(
  { bytes, work }: Kernels,
  kernel: ChachaKernel,
  key: readonly number[],
  message: readonly number[],
  tag: readonly number[],
): boolean {
  const keyAddress = work + 32
  const messageAddress = work + 64
  bytes.fill(0, work, messageAddress)
  bytes.set(key, keyAddress)
  bytes.set(message, messageAddress)
  kernel.authenticate(work, messageAddress, 0, message.length, keyAddress, 0, 1)
  return bytes.subarray(work, work + 16).every((byte, index) => byte === (tag[index] ?? 0))
}
