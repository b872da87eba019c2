import { BlockError } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { HASH_SIZE } from "./hash-tree.ts"

/** The salted hash of a tree's blocks. */
export interface BlockHash {
  /** The hashes of all units, 32 bytes each, in a fresh array: one engine call. */
  hashUnits(data: Uint8Array, unitSize: number): Uint8Array
  /** Whether all units have these hashes: one engine call, and cheaper than `hashUnits` and a look at each. */
  matches(data: Uint8Array, unitSize: number, hashes: Uint8Array): boolean
  destroy(): void
}

/** @throws BlockError `UNSUPPORTED`, naming the algorithm, if it is not `sha256`. */
export function checkAlgorithm(algorithm: string): asserts algorithm is "sha256" {
  if (algorithm !== "sha256")
    throw new BlockError("UNSUPPORTED", `verity: hash algorithm "${algorithm}" is not implemented`)
}

/** Version 1 hashes salt, then block; version 0 (Chrome OS) block, then salt. */
export function blockHash(engine: Engine, version: 0 | 1, salt: Uint8Array): BlockHash {
  const hash = engine.hash("sha256")
  const ownSalt = new Uint8Array(salt)
  const place = version === 1 ? { prefix: ownSalt } : { suffix: ownSalt }
  return {
    hashUnits(data, unitSize) {
      const hashes = new Uint8Array((data.length / unitSize) * HASH_SIZE)
      hash.digestUnits({ data, unitSize, ...place }, hashes)
      return hashes
    },
    matches: (data, unitSize, hashes) => hash.verifyUnits({ data, unitSize, ...place }, hashes) < 0,
    destroy: () => hash.destroy(),
  }
}

/** Whether hash `indexA` of `a` equals hash `indexB` of `b`. The hashes are public: no constant time is needed. */
export function isSameHash(a: Uint8Array, indexA: number, b: Uint8Array, indexB: number): boolean {
  const startA = indexA * HASH_SIZE
  const startB = indexB * HASH_SIZE
  for (let index = 0; index < HASH_SIZE; index++) {
    if (a[startA + index] !== b[startB + index]) return false
  }
  return true
}
