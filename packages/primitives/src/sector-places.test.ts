import { createCipheriv } from "node:crypto"
import { equalBytes } from "@noble/ciphers/utils.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { runCount } from "../../../test/run-count.ts"
import { engines } from "../test/engines.ts"
import { patternBytes } from "../test/placement.ts"
import type { SectorCipherName } from "./engine.ts"
import { createNodeEngine } from "./node/index.ts"

/** Bytes of the largest request here, and of a place for it between guard bytes. */
const LENGTH_MAX = 80 * 1024
const PLACE_SIZE = LENGTH_MAX + 128
const GUARD_BYTE = 0xa5

/** Where a buffer lies: memory of its own, shared memory, or the engine's. */
type Kind = "plain" | "shared" | "engine"

interface Place {
  readonly kind: Kind
  readonly offset: number
}

const places: fc.Arbitrary<Place> = fc.record({
  kind: fc.constantFrom<Kind>("plain", "shared", "engine"),
  offset: fc.integer({ min: 1, max: 33 }),
})

const KEY_SIZES: Readonly<Record<SectorCipherName, readonly number[]>> = {
  "aes-ecb": [16, 24, 32],
  "aes-cbc": [16, 24, 32],
  "aes-ctr": [16, 24, 32],
  "aes-xts": [32, 64],
  "aes-lrw": [32, 40, 48],
  "adiantum-xchacha12": [32],
  "adiantum-xchacha20": [32],
}
const SECTOR_SIZES = [16, 48, 64, 512, 1024, 4096, 4112, 8192, 16384]

const requests = fc
  .record({
    name: fc.constantFrom(...(Object.keys(KEY_SIZES) as SectorCipherName[])),
    keySizeIndex: fc.nat(5),
    sectorSize: fc.constantFrom(...SECTOR_SIZES),
    sectorCount: fc.integer({ min: 1, max: 80 }),
    seed: fc.integer(),
    isInPlace: fc.boolean(),
    source: places,
    target: places,
    ivs: places,
  })
  .map((request) => ({
    ...request,
    sectorCount: Math.min(request.sectorCount, Math.floor(LENGTH_MAX / request.sectorSize)),
  }))

const byDefinition = createNodeEngine({ wasm: false })

/** Each sector by an object of its own; OpenSSL has no LRW and no Adiantum, which tests of their own compare with their definitions. */
function encryptOneByOne(
  name: SectorCipherName,
  key: Uint8Array,
  data: Uint8Array,
  sectorSize: number,
  ivs: Uint8Array,
) {
  const target = new Uint8Array(data.length)
  const { ivSize } = byDefinition.sectorCipher(name, key)
  const bits = (name === "aes-xts" ? key.length / 2 : key.length) * 8
  for (let start = 0, iv = 0; start < data.length; start += sectorSize, iv += ivSize) {
    const sector = data.subarray(start, start + sectorSize)
    const sectorIv = ivs.subarray(iv, iv + ivSize)
    if (name === "aes-lrw" || name.startsWith("adiantum-")) {
      byDefinition
        .sectorCipher(name, key)
        .encryptSectors(sector, target.subarray(start, start + sectorSize), sectorSize, sectorIv)
    } else {
      const cipher = createCipheriv(`aes-${bits}-${name.slice(4)}`, key, name === "aes-ecb" ? null : sectorIv)
      target.set(cipher.setAutoPadding(false).update(sector), start)
    }
  }
  return target
}

describe.each(engines)("sectors in any memory, by the $name engine", (engine) => {
  const memories: Readonly<Record<Kind, readonly Uint8Array[]>> = {
    plain: Array.from({ length: 3 }, () => new Uint8Array(PLACE_SIZE)),
    shared: Array.from({ length: 3 }, () => new Uint8Array(new SharedArrayBuffer(PLACE_SIZE))),
    engine: Array.from({ length: 3 }, () => engine.allocate(PLACE_SIZE)),
  }

  /** A copy of `bytes`; the guard bytes around it are renewed. */
  function place(bytes: Uint8Array, { kind, offset }: Place, which: number): Uint8Array {
    const memory = memories[kind][which]!.fill(GUARD_BYTE)
    memory.set(bytes, offset)
    return memory.subarray(offset, offset + bytes.length)
  }

  function isGuarded(length: number, { kind, offset }: Place, which: number): boolean {
    const memory = memories[kind][which]!
    const guards = [memory.subarray(0, offset), memory.subarray(offset + length)]
    return guards.every((guard) => guard.every((byte) => byte === GUARD_BYTE))
  }

  test("sources, targets and IVs at any alignment, each in any memory, in place or not", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { name, keySizeIndex, sectorSize, sectorCount, seed, isInPlace } = request
        const sizes = KEY_SIZES[name]
        const key = patternBytes(sizes[keySizeIndex % sizes.length]!, seed)
        const cipher = engine.sectorCipher(name, key)
        const data = patternBytes(sectorCount * sectorSize, seed + 1)
        const ivs = patternBytes(sectorCount * cipher.ivSize, seed + 2)
        const expected = encryptOneByOne(name, key, data, sectorSize, ivs)

        const source = place(data, request.source, 0)
        const target = isInPlace ? source : place(new Uint8Array(data.length), request.target, 1)
        const placedIvs = place(ivs, request.ivs, 2)
        cipher.encryptSectors(source, target, sectorSize, placedIvs)
        expect(equalBytes(target, expected)).toBe(true)
        if (!isInPlace) expect(equalBytes(source, data)).toBe(true)

        source.fill(0)
        target.set(expected)
        cipher.decryptSectors(target, source, sectorSize, placedIvs)
        expect(equalBytes(source, data)).toBe(true)
        if (!isInPlace) expect(equalBytes(target, expected)).toBe(true)
        expect(equalBytes(placedIvs, ivs)).toBe(true)
        expect(isGuarded(data.length, request.source, 0)).toBe(true)
        expect(isInPlace || isGuarded(data.length, request.target, 1)).toBe(true)
        expect(isGuarded(ivs.length, request.ivs, 2)).toBe(true)
      }),
      { numRuns: runCount(60) },
    )
  })
})
