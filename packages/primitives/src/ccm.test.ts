import { hexToBytes as bytes, bytesToHex as hex } from "@noble/hashes/utils.js"
import { describe, expect, test } from "vitest"
import { expectAeadVector, readAeadVectors } from "../test/aead-vector.ts"
import { sealByOpenSsl } from "../test/openssl-aead.ts"
import { flipBit, patternBytes } from "../test/placement.ts"
import { cbcMode, type SectorChain } from "./cbc.ts"
import { ccmPieces } from "./ccm.ts"
import { ctrMode } from "./ctr.ts"
import type { AeadCipher, BlockCipher } from "./engine.ts"
import { lazyKernels } from "./kernel/kernels.ts"
import { nodeAes } from "./node/aes.ts"
import { nodeCbc } from "./node/cbc.ts"
import { wholeAeadCipher } from "./piece-aead.ts"
import { portableAes } from "./portable/aes.ts"
import { portableCbc } from "./portable/cbc.ts"

interface Host {
  readonly name: string
  readonly kernels: ReturnType<typeof lazyKernels>
  aes(key: Uint8Array): BlockCipher
  cbc(key: Uint8Array): SectorChain
}

const HOSTS: readonly Host[] = [
  { name: "node", kernels: lazyKernels(), aes: nodeAes, cbc: nodeCbc },
  { name: "node without WebAssembly", kernels: () => undefined, aes: nodeAes, cbc: nodeCbc },
  { name: "portable", kernels: lazyKernels(), aes: portableAes, cbc: portableCbc },
]

function createCipher({ kernels, aes, cbc }: Host, key: Uint8Array, ivSize: number): AeadCipher {
  const [block, chain, memory] = [aes(key), cbc(key), kernels()]
  const parts = { aes: block, chain, cbc: cbcMode(block, chain, memory), ctr: ctrMode(block, memory) }
  return wholeAeadCipher(ccmPieces(parts), ivSize, 16)
}

const VECTORS = [...readAeadVectors("ccm-vectors.json"), ...readAeadVectors("wycheproof-vectors.json", "aes-ccm")]
const KEY = patternBytes(24)

describe.each(HOSTS)("CCM over $name", (host) => {
  test.each([1, 5, 33])("the vectors with IVs of 7 to 13 bytes, each %i times in a request", (count) => {
    expect(new Set(VECTORS.map(({ iv }) => iv.length / 2))).toEqual(new Set([7, 8, 9, 10, 11, 12, 13]))
    expect(VECTORS.filter(({ plaintext }) => plaintext === undefined).length).toBeGreaterThan(100)
    for (const vector of VECTORS) {
      expectAeadVector(createCipher(host, bytes(vector.key), vector.iv.length / 2), vector, count)
    }
  })

  // Sizes of AADs around the 65280 bytes from which their size is written in another way; units around what one call
  // takes, and around the number that goes side by side.
  test.each([
    [1, 16, 65279],
    [1, 16, 65280],
    [2, 5, 65281],
    [1, 1, 70000],
    [2, 65536, 8],
    [2, 65552, 8],
    [1, 131072, 0],
    [1, 131073, 24],
    [1, 1100007, 8],
    [31, 512, 8],
    [32, 512, 8],
    [63, 513, 9],
    [300, 512, 8],
    [35, 4096, 8],
    [5000, 1, 0],
  ])("%i units of %i bytes with AADs of %i are what OpenSSL makes of each", (unitCount, unitSize, aadSize) => {
    const cipher = createCipher(host, KEY, 11)
    const source = patternBytes(unitCount * unitSize, 9)
    const tags = new Uint8Array(unitCount * 16)
    const ivs = patternBytes(unitCount * 11, 3)
    const aads = patternBytes(unitCount * aadSize, 4)
    const target = new Uint8Array(source.length)
    cipher.encryptUnits({ source, target, unitSize, ivs, aads, tags })
    for (let unit = 0; unit < unitCount; unit++) {
      const at = (all: Uint8Array, size: number) => all.subarray(unit * size, (unit + 1) * size)
      const parts = { name: "aes-ccm", key: KEY, iv: at(ivs, 11), aad: at(aads, aadSize) } as const
      const sealed = sealByOpenSsl(parts, at(source, unitSize))
      expect([hex(at(target, unitSize)), hex(at(tags, 16))]).toEqual([hex(sealed.ciphertext), hex(sealed.tag)])
    }
    const batch = { source: target, target, unitSize, ivs, aads, tags }
    const last = unitCount - 1
    const copy = target.slice()
    flipBit(tags, last * 128 + 127)
    expect(cipher.decryptUnits(batch)).toBe(last)
    expect(hex(target)).toBe(hex(source.slice().fill(0, last * unitSize)))
    flipBit(tags, last * 128 + 127)
    target.set(copy)
    expect(cipher.decryptUnits(batch)).toBe(-1)
    expect(hex(target)).toBe(hex(source))
  })

  test.each([2, 3, 31, 33])("of %i units, the first is named whatever the next one makes up for", (unitCount) => {
    const cipher = createCipher(host, KEY, 11)
    const ivs = patternBytes(unitCount * 11, 3)
    const sealed = { unitSize: 16, ivs, aads: new Uint8Array(0), tags: new Uint8Array(unitCount * 16) }
    const source = new Uint8Array(unitCount * 16)
    cipher.encryptUnits({ ...sealed, source: patternBytes(unitCount * 16), target: source })
    for (let unit = 0; unit + 1 < unitCount; unit++) {
      for (let bit = 0; bit < 128; bit += 7) {
        // What the chain carries from a unit to the next changes by this bit, and the next is changed by it as well.
        const tags = sealed.tags.slice()
        const changed = source.slice()
        flipBit(tags, unit * 128 + bit)
        flipBit(tags, (unit + 1) * 128 + bit)
        flipBit(changed, (unit + 1) * 128 + bit)
        const target = new Uint8Array(source.length).fill(0xee)
        expect(cipher.decryptUnits({ ...sealed, tags, source: changed, target })).toBe(unit)
        expect(hex(target.subarray(unit * 16))).toBe("00".repeat((unitCount - unit) * 16))
      }
    }
  })
})
