import { createCipheriv, createHash } from "node:crypto"
import { inspect } from "node:util"
import { type BlockDevice, type DeviceEvent, hostRuntime, memoryDevice } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type CryptOptions, cryptTarget } from "./crypt-target.ts"

const KEY = Uint8Array.from({ length: 64 }, (_, index) => (index * 7 + 1) % 256)
const KIB = 1024

function xts(options: Partial<CryptOptions> = {}): BlockDevice {
  const lower = options.lower ?? memoryDevice({ size: 64 * KIB })
  return cryptTarget({ lower, size: lower.size, cipher: "aes-xts-plain64", key: KEY, ivOffsetSectors: 0, ...options })
}

/** dm-crypt by its definition, one sector at a time. */
function encryptByDefinition(options: CryptOptions, offset: number, data: Uint8Array): Uint8Array {
  const { sectorSize = 512, ivLargeSectors = false, key, cipher } = options
  const out = new Uint8Array(data.length)
  for (let at = 0; at < data.length; at += sectorSize) {
    const sector = BigInt.asUintN(64, BigInt((offset + at) / 512) + BigInt(options.ivOffsetSectors))
    let iv: Uint8Array = new Uint8Array(16)
    new DataView(iv.buffer).setBigUint64(0, ivLargeSectors ? sector / BigInt(sectorSize / 512) : sector, true)
    if (cipher.includes("essiv")) {
      iv = createCipheriv("aes-256-ecb", createHash("sha256").update(key).digest(), null).update(iv)
    }
    const name = cipher.includes("xts") ? `aes-${key.length * 4}-xts` : `aes-${key.length * 8}-cbc`
    out.set(
      createCipheriv(name, key, iv)
        .setAutoPadding(false)
        .update(data.subarray(at, at + sectorSize)),
      at,
    )
  }
  return out
}

const requests = fc.record({
  cipher: fc.constantFrom(
    "aes-xts-plain64",
    "aes-cbc-essiv:sha256",
    "aes-cbc-plain64",
    "capi:essiv(cbc(aes),sha256)-plain64",
  ),
  keyIndex: fc.nat(1),
  sectorSize: fc.constantFrom(512, 1024, 2048, 4096),
  ivLargeSectors: fc.boolean(),
  ivOffset: fc.constantFrom(0n, 8n, 2n ** 32n - 8n, 2n ** 53n, 2n ** 64n - 8n, 2n ** 64n - 32n),
  start: fc.nat(3),
  first: fc.nat(7),
  count: fc.integer({ min: 1, max: 8 }),
  byte: fc.nat(255),
})

describe.each([nodeEngine, portableEngine])("on $name", (engine) => {
  test("the ciphertext is that of node:crypto sector by sector, and reads back", async () => {
    await fc.assert(
      fc.asyncProperty(
        requests,
        async ({ cipher, keyIndex, sectorSize, ivLargeSectors, ivOffset, start, first, count, byte }) => {
          const sizes = cipher.includes("xts") ? [32, 64] : [16, 32]
          const key = KEY.slice(0, sizes[keyIndex])
          const medium = new Uint8Array(20 * sectorSize)
          const lower = memoryDevice({ bytes: medium })
          const options = {
            lower,
            start: start * sectorSize,
            size: 16 * sectorSize,
            cipher,
            key,
            sectorSize,
            ivLargeSectors,
            ivOffsetSectors: ivOffset,
          }
          const device = cryptTarget({ ...options, engine })
          const data = new Uint8Array(count * sectorSize).map((_, index) => (index * 31 + byte) % 256)
          const before = data.slice()
          await device.write(first * sectorSize, data)
          expect(data).toEqual(before)
          const written = medium.subarray((start + first) * sectorSize, (start + first + count) * sectorSize)
          expect(Buffer.compare(written, encryptByDefinition(options, first * sectorSize, data))).toBe(0)
          const back = new Uint8Array(data.length)
          await device.read(first * sectorSize, back)
          expect(Buffer.compare(back, data)).toBe(0)
          await device.close()
        },
      ),
    )
  })

  test("a request larger than the scratch", async () => {
    const lower = memoryDevice({ size: 3 * KIB * KIB })
    const device = xts({ lower, engine })
    const data = new Uint8Array(lower.size - 512).map((_, index) => index % 251)
    await device.write(512, data)
    const back = new Uint8Array(data.length)
    await device.read(512, back)
    expect(Buffer.compare(back, data)).toBe(0)
  })

  // SHA-256 of what Linux 6.1 stores for 64 sectors of zeroes; key bytes 7i + 1 mod 256.
  test.each([
    [
      "aes-xts-plain64",
      64,
      2n ** 64n - 16n,
      512,
      false,
      "e3697f089bfd4ebac473c602b048c0096f6f39b9e52419d653a4a4510315ba49",
    ],
    [
      "aes-xts-plain64",
      64,
      2n ** 64n - 16n,
      4096,
      false,
      "d5daae93023dedbe7c58b1c9f600d01cd998378212b174ae7ffd278d21d3bf2b",
    ],
    [
      "aes-xts-plain64",
      64,
      2n ** 64n - 16n,
      4096,
      true,
      "3842c5e766a5852ac0862fb5ee0b01ba5b7efbcb35f1c84b10dbc73c45649a45",
    ],
    [
      "aes-xts-plain64",
      64,
      2n ** 64n - 16n,
      1024,
      true,
      "63fd9fd626546c6360bf229520c36eb31fdaf5362aefe6ebd0df422e9a7b3716",
    ],
    [
      "capi:essiv(cbc(aes),sha256)-plain64",
      16,
      2n ** 64n - 24n,
      512,
      false,
      "a1321caeeedfe5d8b69fa376636aacef8eb25b01dbf43d3dcd27076a72e7fdaa",
    ],
    [
      "aes-cbc-essiv:sha256",
      24,
      2n ** 64n - 24n,
      512,
      false,
      "48ad351beb3f5640279ca31100f95a8684732fde41eecfb0734c7b3da428bea6",
    ],
    [
      "capi:cbc(aes)-plain64",
      32,
      2n ** 64n - 24n,
      512,
      false,
      "30413e23a5fec68382af5cd13d17a8806a3dec33b710eeb458821005b017344f",
    ],
    ["aes-xts-plain64", 48, 0n, 512, false, "b09ddd553c91d406f0e7efd8a805f8ea6372f57bfc45ce5f1bb90c457b401448"],
    [
      "capi:essiv(cbc(aes),sha256)-plain64",
      32,
      16n,
      4096,
      true,
      "28f6bf761b4c138205aa2005284d5bc90619211b52d240163d7ddd3f292d44b2",
    ],
  ] as const)(
    "Linux: %s, %d byte key, IV offset %d, sectors of %d",
    async (cipher, keySize, ivOffsetSectors, sectorSize, ivLargeSectors, expected) => {
      const bytes = new Uint8Array(32 * KIB)
      const device = xts({
        lower: memoryDevice({ bytes }),
        cipher,
        key: KEY.slice(0, keySize),
        ivOffsetSectors,
        sectorSize,
        ivLargeSectors,
        engine,
      })
      await device.writeZeroes(0, device.size)
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(expected)
    },
  )

  test("Linux takes XTS keys of two equal halves", async () => {
    const bytes = new Uint8Array(32 * KIB)
    await xts({ lower: memoryDevice({ bytes }), key: new Uint8Array(64).fill(0x11), engine }).writeZeroes(
      0,
      bytes.length,
    )
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(
      "1e5670f4f4cb958db886ddfe1f55354fa866a5f014ced73cb1b1558d9e9aa997",
    )
  })
})

test("features: what the lower has, but not what would weaken or lie", () => {
  const lower = memoryDevice({ size: 64 * KIB })
  expect(xts({ lower }).features).toMatchObject({
    write: true,
    discard: false,
    writeZeroes: false,
    fua: true,
    atomicSize: 512,
  })
  expect(xts({ lower, allowDiscards: true }).features.discard).toBe(true)
  expect(xts({ lower: memoryDevice({ size: 4096, readOnly: true }) }).features.write).toBe(false)
  expect(xts({ lower, sectorSize: 4096 })).toMatchObject({ blockSize: 4096, features: { atomicSize: 512 } })
  const cbc = { cipher: "aes-cbc-plain64", key: KEY.slice(0, 16), lower }
  expect(xts({ ...cbc, sectorSize: 4096 }).features.atomicSize).toBe(0)
  expect(xts({ ...cbc, sectorSize: 512 }).features.atomicSize).toBe(512)
  const large = memoryDevice({ size: 64 * KIB, blockSize: 4096, tagSize: 8 })
  expect(xts({ lower: large })).toMatchObject({ blockSize: 4096, tagSize: 0, features: { atomicSize: 4096 } })
})

test("a discarded range reads as noise, and says so", async () => {
  const device = xts({ allowDiscards: true })
  await device.discard(0, 4096)
  expect(await device.blockStatus(0, 8192)).toEqual([{ offset: 0, length: 8192, kind: "allocated" }])
  const buffer = new Uint8Array(4096)
  await device.read(0, buffer)
  expect(buffer.some((byte) => byte !== 0)).toBe(true)
})

test("a sector over smaller blocks is read old or new, never mixed", async () => {
  const lower = memoryDevice({ size: 8 * KIB })
  const slow: BlockDevice = {
    ...lower,
    async write(offset, data, options) {
      await lower.write(offset, data.subarray(0, 512), options)
      await new Promise((resolve) => setImmediate(resolve))
      await lower.write(offset + 512, data.subarray(512), options)
    },
  }
  const device = xts({ lower: slow, sectorSize: 4096 })
  const buffer = new Uint8Array(4096)
  await device.write(0, new Uint8Array(4096).fill(1))
  const write = device.write(0, new Uint8Array(4096).fill(2))
  await Promise.allSettled([write, device.read(0, buffer)])
  expect(new Set(buffer).size).toBe(1)
})

test("fua reaches the device below, and nothing else does", async () => {
  const lower = memoryDevice({ size: 64 * KIB })
  const seen: (boolean | undefined)[] = []
  const device = xts({
    lower: { ...lower, write: async (_offset, _data, options) => void seen.push(options?.fua) },
  })
  await device.write(0, new Uint8Array(512), { fua: true })
  await device.write(0, new Uint8Array(512))
  expect(seen).toEqual([true, false])
})

test("a read whose IVs come in several batches", async () => {
  // 17 MiB of sectors of 512 bytes; what is not noise would show a batch with the IVs of another one.
  const lower = memoryDevice({ size: 17 * KIB * KIB })
  const device = xts({ lower })
  const data = new Uint8Array(KIB).fill(7)
  for (const offset of [0, 16 * KIB * KIB - 512, lower.size - KIB]) await device.write(offset, data)
  const whole = new Uint8Array(lower.size)
  await device.read(0, whole)
  for (const offset of [0, 16 * KIB * KIB - 512, lower.size - KIB])
    expect(Buffer.compare(whole.subarray(offset, offset + KIB), data)).toBe(0)
})

test("writes side by side do not share the memory of their ciphertext", async () => {
  const lower = memoryDevice({ size: 64 * KIB })
  const slow: BlockDevice = {
    ...lower,
    async write(offset, data, options) {
      for (let turn = 0; turn < 8 - offset / 4096; turn++) await new Promise((resolve) => setImmediate(resolve))
      await lower.write(offset, data, options)
    },
  }
  const device = xts({ lower: slow })
  const blocks = Array.from({ length: 8 }, (_, index) => new Uint8Array(4096).fill(index + 1))
  await Promise.all(blocks.map((block, index) => device.write(index * 4096, block)))
  const whole = new Uint8Array(8 * 4096)
  await device.read(0, whole)
  expect(Buffer.compare(whole, Buffer.concat(blocks))).toBe(0)
})

test("closing destroys the cipher with its key, and that of the IVs", async () => {
  const living = new Set<object>()
  const watch = <T extends { destroy(): void }>(owned: T): T => {
    living.add(owned)
    const destroy = () => {
      living.delete(owned)
      owned.destroy()
    }
    return { ...owned, destroy }
  }
  const engine: Engine = {
    ...nodeEngine,
    sectorCipher: (...args) => watch(nodeEngine.sectorCipher(...args)),
    blockCipher: (...args) => watch(nodeEngine.blockCipher(...args)),
    aeadCipher: (...args) => watch(nodeEngine.aeadCipher(...args)),
    hash: (...args) => watch(nodeEngine.hash(...args)),
  }
  const tagged = memoryDevice({ size: 64 * KIB, tagSize: 28 })
  const gcm = { lower: tagged, cipher: "capi:gcm(aes)-random", integrity: { tagSize: 28, kind: "aead" } } as const
  for (const options of [{ cipher: "aes-cbc-essiv:sha256" }, gcm]) {
    const device = xts({ key: KEY.slice(0, 32), engine, ...options })
    expect(living.size).toBeGreaterThan(0)
    await device.close()
    expect(living.size).toBe(0)
  }
})

test("limits: more than 1 TiB under an XTS key is told", () => {
  const events: DeviceEvent[] = []
  const onEvent = (event: DeviceEvent) => void events.push(event)
  xts({ lower: memoryDevice({ size: 2 ** 40 }), onEvent })
  expect(events).toEqual([])
  xts({ lower: memoryDevice({ size: 2 ** 40 + 512 }), onEvent })
  expect(events.map((event) => event.kind)).toEqual(["limit"])
  const tagged = memoryDevice({ size: 2 ** 40 + 512, tagSize: 32 })
  const integrity = { tagSize: 32, kind: "aead" } as const
  const key = new Uint8Array(96)
  xts({ lower: tagged, cipher: "capi:authenc(hmac(sha256),xts(aes))-plain64", key, integrity, onEvent })
  xts({ lower: memoryDevice({ size: 2 ** 41 }), cipher: "aes-cbc-plain64", key: KEY.subarray(32), onEvent })
  expect(events.map((event) => event.kind)).toEqual(["limit", "limit"])
})

test("limits: more than 256 TiB under an XTS key can only be read", () => {
  const refused = expect.objectContaining({ name: "BlockError", code: "REFUSED" })
  const huge = memoryDevice({ size: 2 ** 48 + 512 })
  expect(() => xts({ lower: huge })).toThrow(refused)
  xts({ lower: memoryDevice({ size: 2 ** 48 + 512, readOnly: true }) })
  xts({ lower: memoryDevice({ size: 2 ** 48 }) })
  xts({ lower: huge, cipher: "aes:2-xts-plain64", key: Uint8Array.from({ length: 128 }, (_, index) => index) })
})

test("the caller's key is copied, and no key is shown", async () => {
  const key = KEY.slice()
  const device = xts({ key, runtime: hostRuntime })
  await device.write(0, new Uint8Array(512))
  const first = new Uint8Array(512)
  key.fill(0)
  await device.read(0, first)
  expect(first).toEqual(new Uint8Array(512))
  const hex = Buffer.from(KEY).toString("hex").slice(0, 16)
  const shown = inspect(device, { depth: 20, showHidden: true }) + JSON.stringify(device.layer.status())
  expect(shown).not.toContain(hex)
  expect(shown).not.toContain(hex.match(/../g)?.join(" "))
  expect(shown).not.toContain("1, 8, 15, 22")
  expect(device.layer.status()).toMatchObject({ cipher: "aes-xts-plain64", sectorSize: 512, keySize: 64 })
  await device.close()
  await expect(device.read(0, first)).rejects.toMatchObject({ code: "CLOSED" })
})

test.each([
  ["a key of another size", { key: KEY.slice(0, 20) }, "INVALID"],
  ["a sector size", { sectorSize: 8192 }, "INVALID"],
  ["an IV offset that is no multiple of the sector size", { sectorSize: 4096, ivOffsetSectors: 7 }, "INVALID"],
  ["a start that the block size does not divide", { sectorSize: 4096, start: 512, size: 4096 }, "INVALID"],
  ["a size that the block size does not divide", { sectorSize: 4096, size: 512 }, "INVALID"],
  ["more than there is", { size: 128 * KIB }, "INVALID"],
  ["a range behind the end", { start: 128 * KIB, size: 0 }, "INVALID"],
  ["the null cipher", { cipher: "cipher_null-ecb", key: new Uint8Array(0) }, "REFUSED"],
  ["an IV that does not work", { cipher: "aes-xts-lmk" }, "UNSUPPORTED"],
  ["a sector size that an IV does not work with", { cipher: "aes-ctr-tcw", sectorSize: 4096 }, "INVALID"],
] as const)("%s is refused", (_what, options, code) => {
  expect(() => xts(options)).toThrow(expect.objectContaining({ name: "BlockError", code }))
})

test.each([
  ["start", { start: -512 }, RangeError],
  ["size", { size: 1.5 }, RangeError],
  ["IV offset", { ivOffsetSectors: -1 }, RangeError],
  ["IV offset", { ivOffsetSectors: 2n ** 64n }, RangeError],
  ["IV offset", { ivOffsetSectors: 0.5 }, RangeError],
  ["key", { key: "00" as unknown as Uint8Array }, TypeError],
] as const)("misuse of %s is not a BlockError", (_what, options, type) => expect(() => xts(options)).toThrow(type))
