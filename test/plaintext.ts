import { createHash } from "node:crypto"
import type { VectorManifest } from "./vector.ts"

const HASH_SIZE = 32
const KIB = 1024

/**
 * What was written into a vector's volume, `sizeBytes` long.
 * Generator `sha256ctr`: block i of 32 bytes is SHA-256(utf8(seed) || be64(i)). Layout `full`: the device is that stream; `pat`: zeros,
 * but stream[0, 8K) at 0, stream[8K, 40K) at 64K and stream[40K, 44K) at the last 4K-aligned 4K.
 * @throws RangeError another generator or layout.
 */
export function plaintextOf(manifest: VectorManifest, sizeBytes: number): Uint8Array {
  const { generator, seed, layout } = manifest.plaintext
  if (generator !== "sha256ctr") throw new RangeError(`${manifest.name}: generator ${generator} is not known`)
  if (layout === "full") return sha256Counter(seed, sizeBytes)
  if (layout !== "pat") throw new RangeError(`${manifest.name}: layout ${layout} is not known`)
  const stream = sha256Counter(seed, 44 * KIB)
  const bytes = new Uint8Array(sizeBytes)
  bytes.set(stream.subarray(0, 8 * KIB), 0)
  bytes.set(stream.subarray(8 * KIB, 40 * KIB), 64 * KIB)
  bytes.set(stream.subarray(40 * KIB), (Math.floor(sizeBytes / (4 * KIB)) - 1) * 4 * KIB)
  return bytes
}

/** The stream of that generator: `lengthBytes` of it. */
export function sha256Counter(seed: string, lengthBytes: number): Uint8Array {
  const stream = new Uint8Array(Math.ceil(lengthBytes / HASH_SIZE) * HASH_SIZE)
  const counter = new Uint8Array(8)
  const view = new DataView(counter.buffer)
  for (let index = 0; index * HASH_SIZE < lengthBytes; index++) {
    view.setBigUint64(0, BigInt(index))
    stream.set(createHash("sha256").update(seed).update(counter).digest(), index * HASH_SIZE)
  }
  return stream.subarray(0, lengthBytes)
}
