import type { AeadBatch, AeadCipher } from "./engine.ts"

/** One unit of an AEAD request. */
export interface AeadUnit {
  readonly source: Uint8Array
  readonly target: Uint8Array
  readonly iv: Uint8Array
  readonly aad: Uint8Array
  readonly tag: Uint8Array
}

/** An AEAD that takes one unit at a time, as hosts offer it. */
export interface UnitAead {
  readonly ivSize: number
  readonly tagSize: number
  encryptUnit(unit: AeadUnit): void
  /** False if the unit is not authentic: then `target` is as it was. */
  decryptUnit(unit: AeadUnit): boolean
  destroy(): void
}

/** The batch form of an AEAD that knows one unit at a time. Arguments were checked above. */
export function aeadCipherOf(aead: UnitAead): AeadCipher {
  const { ivSize, tagSize } = aead
  return {
    ivSize,
    tagSize,
    encryptUnits(batch) {
      const unitCount = batch.tags.length / tagSize
      for (let index = 0; index < unitCount; index++) aead.encryptUnit(unitAt(batch, index, unitCount))
    },
    decryptUnits(batch) {
      const unitCount = batch.tags.length / tagSize
      for (let index = 0; index < unitCount; index++) {
        if (aead.decryptUnit(unitAt(batch, index, unitCount))) continue
        batch.target.fill(0, index * batch.unitSize)
        return index
      }
      return -1
    },
    destroy: () => aead.destroy(),
  }
}

function unitAt(batch: AeadBatch, index: number, unitCount: number): AeadUnit {
  const { source, target, ivs, aads, tags } = batch
  if (unitCount === 1) return { source, target, iv: ivs, aad: aads, tag: tags }
  const at = (bytes: Uint8Array) => {
    const size = bytes.length / unitCount
    return bytes.subarray(index * size, (index + 1) * size)
  }
  return {
    source: at(source),
    target: at(target),
    iv: at(ivs),
    aad: at(aads),
    tag: at(tags),
  }
}
