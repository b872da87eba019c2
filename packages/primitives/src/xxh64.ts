import type { HashBatch } from "./engine.ts"
import type { Kernels } from "./kernel/kernels.ts"
import { loadXxh64Kernel, type Xxh64Kernel } from "./kernel/xxh64-kernel.ts"
import { digestEach, type UnitDigest } from "./unit-hash.ts"

const DIGEST_SIZE = 8
const STRIPE_SIZE = 32
const PRIME_1 = 0x9e3779b185ebca87n
const PRIME_2 = 0xc2b2ae3d27d4eb4fn
const PRIME_3 = 0x165667b19e3779f9n
const PRIME_4 = 0x85ebca77c2b2ae63n
const PRIME_5 = 0x27d4eb2f165667c5n

/**
 * XXH64 with seed 0, little-endian as the Linux crypto API stores it. Source: the xxHash specification. The TypeScript is
 * for hosts without WebAssembly and for messages above 1 MiB: a hundredth of the kernel's speed.
 */
export function xxh64Digest(kernels?: Kernels): UnitDigest {
  const kernel = kernels && loadXxh64Kernel(kernels)
  const digest: UnitDigest = {
    digestSize: DIGEST_SIZE,
    digestInto(parts, target) {
      const size = parts.reduce((sum, part) => sum + part.length, 0)
      const message = kernel && size <= kernel.messages.length ? kernel.messages : new Uint8Array(size)
      let at = 0
      for (const part of parts) {
        message.set(part, at)
        at += part.length
      }
      if (message === kernel?.messages) target.set(kernel.digest(size, 1))
      else new DataView(target.buffer, target.byteOffset, DIGEST_SIZE).setBigUint64(0, xxh64(message), true)
    },
    destroy: () => kernels?.wipe(),
  }
  if (kernel === undefined) return digest
  return {
    ...digest,
    digestPiece(piece, digests) {
      if (!digestByKernel(kernel, piece, digests)) digestEach(digest, piece, digests)
    },
  }
}

/** False if a message is too long for the kernel. */
function digestByKernel(kernel: Xxh64Kernel, batch: HashBatch, digests: Uint8Array): boolean {
  const { data, unitSize, prefix, heads, suffix } = batch
  const { messages } = kernel
  const unitCount = digests.length / DIGEST_SIZE
  const headSize = heads === undefined ? 0 : heads.length / unitCount
  const headStart = prefix?.length ?? 0
  const unitStart = headStart + headSize
  const size = unitStart + unitSize + (suffix?.length ?? 0)
  if (size > messages.length) return false
  const stepCount = Math.floor(messages.length / Math.max(size, 1))
  for (let first = 0; first < unitCount; first += stepCount) {
    const count = Math.min(stepCount, unitCount - first)
    for (let index = 0; index < count; index++) {
      const at = index * size
      const unit = first + index
      if (prefix !== undefined) messages.set(prefix, at)
      if (heads !== undefined) messages.set(heads.subarray(unit * headSize, (unit + 1) * headSize), at + headStart)
      messages.set(data.subarray(unit * unitSize, (unit + 1) * unitSize), at + unitStart)
      if (suffix !== undefined) messages.set(suffix, at + unitStart + unitSize)
    }
    digests.set(kernel.digest(size, count), first * DIGEST_SIZE)
  }
  return true
}

function xxh64(message: Uint8Array): bigint {
  const view = new DataView(message.buffer, message.byteOffset, message.length)
  let at = 0
  let sum = PRIME_5
  if (message.length >= STRIPE_SIZE) {
    const lanes = [wrap(PRIME_1 + PRIME_2), PRIME_2, 0n, wrap(-PRIME_1)]
    for (; at + STRIPE_SIZE <= message.length; at += STRIPE_SIZE) {
      for (let lane = 0; lane < 4; lane++) lanes[lane] = round(lanes[lane]!, view.getBigUint64(at + lane * 8, true))
    }
    const [first = 0n, second = 0n, third = 0n, fourth = 0n] = lanes
    sum = wrap(rotate(first, 1n) + rotate(second, 7n) + rotate(third, 12n) + rotate(fourth, 18n))
    for (const lane of lanes) sum = wrap((sum ^ round(0n, lane)) * PRIME_1 + PRIME_4)
  }
  sum = wrap(sum + BigInt(message.length))
  for (; at + 8 <= message.length; at += 8) {
    sum = wrap(rotate(sum ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4)
  }
  if (at + 4 <= message.length) {
    sum = wrap(rotate(sum ^ wrap(BigInt(view.getUint32(at, true)) * PRIME_1), 23n) * PRIME_2 + PRIME_3)
    at += 4
  }
  for (; at < message.length; at++) sum = wrap(rotate(sum ^ wrap(BigInt(message[at]!) * PRIME_5), 11n) * PRIME_1)
  sum = wrap((sum ^ (sum >> 33n)) * PRIME_2)
  sum = wrap((sum ^ (sum >> 29n)) * PRIME_3)
  return sum ^ (sum >> 32n)
}

function round(accumulator: bigint, lane: bigint): bigint {
  return wrap(rotate(wrap(accumulator + lane * PRIME_2), 31n) * PRIME_1)
}

function rotate(value: bigint, bitCount: bigint): bigint {
  return wrap(value << bitCount) | (value >> (64n - bitCount))
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}
