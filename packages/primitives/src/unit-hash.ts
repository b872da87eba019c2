import type { UnitHash } from "./engine.ts"

/** One digest at a time, as hosts offer it. */
export interface UnitDigest {
  readonly digestSize: number
  /** The digest of the parts one after the other, into the `digestSize` bytes of `target`. */
  digestInto(parts: readonly Uint8Array[], target: Uint8Array): void
  destroy(): void
}

/** The batch form of a digest that knows one unit at a time. Arguments were checked above. */
export function unitHashOf(digest: UnitDigest): UnitHash {
  const { digestSize } = digest
  return {
    digestSize,
    digest(...parts) {
      const target = new Uint8Array(digestSize)
      digest.digestInto(parts, target)
      return target
    },
    digestUnits({ data, unitSize, prefix, heads, suffix }, digests) {
      const unitCount = digests.length / digestSize
      const headSize = heads === undefined ? 0 : heads.length / unitCount
      for (let index = 0; index < unitCount; index++) {
        const parts: Uint8Array[] = []
        if (prefix !== undefined) parts.push(prefix)
        if (heads !== undefined) parts.push(heads.subarray(index * headSize, (index + 1) * headSize))
        parts.push(data.subarray(index * unitSize, (index + 1) * unitSize))
        if (suffix !== undefined) parts.push(suffix)
        digest.digestInto(parts, digests.subarray(index * digestSize, (index + 1) * digestSize))
      }
    },
    destroy: () => digest.destroy(),
  }
}
