import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { nodeEngine } from "@blockstrata/primitives/node"
import fc from "fast-check"
import { expect, test } from "vitest"
import { type CryptOptions, cryptTarget } from "./crypt-target.ts"

const MODES: readonly (readonly [string, number])[] = [
  ["cbc-essiv:sha256", 16],
  ["xts-plain64", 32],
  ["ecb", 32],
  ["lrw-benbi", 32],
]
const pattern = (length: number, seed: number) => new Uint8Array(length).map((_, index) => (index * 31 + seed) % 251)

function target(options: Omit<CryptOptions, "lower" | "size">, medium: Uint8Array): BlockDevice {
  return cryptTarget({ ...options, lower: memoryDevice({ bytes: medium }), size: medium.length })
}

test("each sector is encrypted as with its own key alone, whatever a request holds", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        mode: fc.constantFrom(...MODES),
        keyCount: fc.constantFrom(1, 2, 4, 16, 64),
        sectorSize: fc.constantFrom(512, 1024, 4096),
        ivOffset: fc.constantFrom(0n, 8n, 24n, 2n ** 64n - 8n),
        first: fc.nat(9),
        count: fc.integer({ min: 1, max: 40 }),
      }),
      async ({ mode: [mode, keySize], keyCount, sectorSize, ivOffset, first, count }) => {
        const key = pattern(keySize * keyCount, 1)
        const size = 64 * sectorSize
        const shared = { ivOffsetSectors: ivOffset, sectorSize }
        const medium = new Uint8Array(size)
        const device = target({ ...shared, cipher: `aes:${keyCount}-${mode}`, key }, medium)
        const data = pattern(count * sectorSize, keyCount)
        await device.write(first * sectorSize, data)
        for (let index = first; index < first + count; index++) {
          const sector = BigInt.asUintN(64, BigInt((index * sectorSize) / 512) + ivOffset)
          const at = Number(sector % BigInt(keyCount)) * keySize
          const alone = new Uint8Array(size)
          const single = target({ ...shared, cipher: `aes-${mode}`, key: key.slice(at, at + keySize) }, alone)
          await single.write(index * sectorSize, data.subarray((index - first) * sectorSize).subarray(0, sectorSize))
          const range = [index * sectorSize, (index + 1) * sectorSize] as const
          expect(Buffer.compare(medium.subarray(...range), alone.subarray(...range))).toBe(0)
        }
        const back = new Uint8Array(data.length)
        await device.read(first * sectorSize, back)
        expect(Buffer.compare(back, data)).toBe(0)
      },
    ),
    { numRuns: 40 },
  )
})

test("a request makes one call for each key and piece, and no cipher of its own", async () => {
  let created = 0
  let calls = 0
  const engine: Engine = {
    ...nodeEngine,
    sectorCipher(name, key) {
      created += 1
      const cipher = nodeEngine.sectorCipher(name, key)
      return {
        ...cipher,
        encryptSectors(...args) {
          calls += 1
          cipher.encryptSectors(...args)
        },
      }
    },
  }
  for (const [keyCount, sectorSize, expected] of [
    [1, 512, 3],
    [4, 512, 12],
    [16, 4096, 6],
    [8, 4096, 3],
  ] as const) {
    created = calls = 0
    const options = { cipher: `aes:${keyCount}-cbc-plain64`, key: pattern(16 * keyCount, 3), ivOffsetSectors: 0 }
    const device = target({ ...options, sectorSize, engine }, new Uint8Array(3 * 1024 * 1024))
    await device.write(0, new Uint8Array(device.size))
    expect([created, calls]).toEqual([keyCount, expected])
    await device.close()
  }
})
