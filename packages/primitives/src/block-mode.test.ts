import { expect, test } from "vitest"
import { type SectorModeName, sectorCipherOver } from "./block-mode.ts"
import type { SectorCipherName } from "./engine.ts"
import { nodeEngine } from "./node/index.ts"

const KEY = Uint8Array.from({ length: 48 }, (_, index) => index * 5 + 1)
const MODES: readonly (readonly [SectorModeName, number])[] = [
  ["ecb", 16],
  ["cbc", 16],
  ["ctr", 32],
  ["xts", 32],
  ["lrw", 48],
]

test.each(MODES)(
  "%s over AES that is brought along is the engine's own, with few sectors and many",
  (mode, keySize) => {
    const key = KEY.subarray(0, keySize)
    const over = sectorCipherOver(mode, (part) => nodeEngine.blockCipher("aes", part), key)
    const own = nodeEngine.sectorCipher(`aes-${mode}` satisfies SectorCipherName, key)
    expect(over.ivSize).toBe(own.ivSize)
    for (const [sectorSize, count] of [
      [512, 1],
      [16, 3],
      [512, 40],
      [4096, 70],
    ] as const) {
      const source = Uint8Array.from({ length: sectorSize * count }, (_, index) => (index * 31) % 253)
      const ivs = Uint8Array.from({ length: own.ivSize * count }, (_, index) => index % 247)
      const [expected, encrypted, back] = [0, 1, 2].map(() => new Uint8Array(source.length))
      own.encryptSectors(source, expected!, sectorSize, ivs)
      over.encryptSectors(source, encrypted!, sectorSize, ivs)
      expect(Buffer.compare(encrypted!, expected!)).toBe(0)
      over.decryptSectors(encrypted!, back!, sectorSize, ivs)
      expect(Buffer.compare(back!, source)).toBe(0)
    }
    over.destroy()
    expect(() => over.encryptSectors(KEY, KEY, 16, KEY)).toThrow(TypeError)
  },
)

test("blocks of another size are refused", () => {
  const aes = nodeEngine.blockCipher("aes", KEY.subarray(0, 16))
  expect(() => sectorCipherOver("cbc", () => ({ ...aes, blockSize: 8 }), KEY)).toThrow(RangeError)
})
