import { createCipheriv, createHmac } from "node:crypto"
import { type BlockDevice, BlockError, type DeviceEvent, hostRuntime, memoryDevice } from "@blockstrata/device"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type CryptOptions, cryptTarget } from "./crypt-target.ts"

const KEY = Uint8Array.from({ length: 96 }, (_, index) => (index * 7 + 1) % 256)
interface Spec {
  readonly cipher: string
  readonly keySize: number
  readonly tagSize: number
}

const GCM: Spec = { cipher: "capi:gcm(aes)-random", keySize: 32, tagSize: 28 }
const CHACHA: Spec = { ...GCM, cipher: "capi:rfc7539(chacha20,poly1305)-random" }
const AUTHENC: Spec = { cipher: "capi:authenc(hmac(sha256),xts(aes))-plain64", keySize: 96, tagSize: 32 }
const SPECS: readonly Spec[] = [
  GCM,
  { ...GCM, keySize: 16 },
  CHACHA,
  AUTHENC,
  { cipher: "capi:authenc(hmac(sha256),xts(aes))-random", keySize: 64, tagSize: 48 },
]
const SECTORS = 16

interface Built {
  readonly bytes: Uint8Array
  readonly tagBytes: Uint8Array
  readonly device: BlockDevice
}

function build(
  spec: Spec,
  { sectorSize = 512, lowerTagSize = spec.tagSize, ...options }: Partial<CryptOptions> & { lowerTagSize?: number } = {},
): Built {
  const bytes = new Uint8Array(SECTORS * sectorSize)
  const tagBytes = new Uint8Array(SECTORS * lowerTagSize).fill(0xee)
  const lower = memoryDevice({ bytes, tagBytes, tagSize: lowerTagSize, blockSize: sectorSize })
  const { cipher, tagSize } = spec
  const integrity = { tagSize, kind: "aead" } as const
  const base = {
    lower,
    size: lower.size,
    cipher,
    key: KEY.slice(0, spec.keySize),
    ivOffsetSectors: 0,
    sectorSize,
    integrity,
  }
  return { bytes, tagBytes, device: cryptTarget({ ...base, ...options }) }
}

const pattern = (length: number) => new Uint8Array(length).map((_, index) => (index * 31) % 256)

async function filled(spec: Spec, options: Parameters<typeof build>[1] = {}): Promise<Built> {
  const built = build(spec, options)
  await built.device.write(0, pattern(built.device.size))
  return built
}

function flip(bytes: Uint8Array, index: number, mask = 1): void {
  bytes[index] = (bytes[index] ?? 0) ^ mask
}

async function failureOf(request: Promise<void>): Promise<BlockError> {
  const error = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(BlockError)
  return error as BlockError
}

describe.each([nodeEngine, portableEngine])("on $name", (engine) => {
  describe.each(SPECS)("$cipher, key of $keySize bytes", (spec) => {
    test.each([512, 4096])(
      "sectors of %d: round trip, ragged requests, room to spare in the tags",
      async (sectorSize) => {
        const { device, tagBytes } = build(spec, {
          sectorSize,
          lowerTagSize: spec.tagSize + 5,
          engine,
          ivOffsetSectors: 2n ** 64n - 32n,
        })
        expect(device).toMatchObject({
          blockSize: sectorSize,
          tagSize: 0,
          features: { discard: false, atomicSize: sectorSize },
        })
        const data = pattern(device.size)
        await device.write(0, data.subarray(0, 3 * sectorSize))
        await device.write(3 * sectorSize, data.subarray(3 * sectorSize))
        const back = new Uint8Array(9 * sectorSize)
        await device.read(2 * sectorSize, back)
        expect(Buffer.compare(back, data.subarray(2 * sectorSize, 11 * sectorSize))).toBe(0)
        expect([...tagBytes.subarray(spec.tagSize, spec.tagSize + 5)]).toEqual([0, 0, 0, 0, 0])
      },
    )

    test("every bit of ciphertext, tag and IV counts", async () => {
      const { device, bytes, tagBytes } = await filled(spec, { engine })
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length + tagBytes.length - 1), fc.nat(7), async (index, bit) => {
          const inTags = index >= bytes.length
          const [target, at] = inTags ? [tagBytes, index - bytes.length] : [bytes, index]
          const sector = Math.floor(at / (inTags ? spec.tagSize : 512))
          flip(target, at, 2 ** bit)
          const buffer = new Uint8Array(device.size).fill(9)
          const error = await failureOf(device.read(0, buffer))
          flip(target, at, 2 ** bit)
          expect(error).toMatchObject({ code: "INTEGRITY", device: "crypt", offset: sector * 512, length: 512 })
          expect(buffer.every((byte) => byte === 0)).toBe(true)
        }),
        { numRuns: 40 },
      )
      await device.read(0, new Uint8Array(device.size))
    })

    test("two sectors swapped with their tags are refused; one old sector with its old tag is not", async () => {
      const { device, bytes, tagBytes } = await filled(spec, { engine })
      const sectorOf = (index: number) =>
        [
          bytes.slice(index * 512, index * 512 + 512),
          tagBytes.slice(index * spec.tagSize, (index + 1) * spec.tagSize),
        ] as const
      const put = (index: number, [data, tag]: ReturnType<typeof sectorOf>) => {
        bytes.set(data, index * 512)
        tagBytes.set(tag, index * spec.tagSize)
      }
      const [second, third] = [sectorOf(2), sectorOf(3)]
      put(2, third)
      put(3, second)
      expect(await failureOf(device.read(0, new Uint8Array(device.size)))).toMatchObject({
        code: "INTEGRITY",
        offset: 1024,
        length: 1024,
      })
      put(2, second)
      put(3, third)
      await device.write(1024, new Uint8Array(512).fill(1))
      put(2, second)
      const buffer = new Uint8Array(512)
      await device.read(1024, buffer)
      expect(Buffer.compare(buffer, pattern(device.size).subarray(1024, 1536))).toBe(0)
    })
  })
})

test("metadata: tag, random IV, zeros; additional data: the sector without IV offset, and the IV", async () => {
  const { device, bytes, tagBytes } = await filled(GCM, {
    sectorSize: 1024,
    lowerTagSize: 32,
    ivOffsetSectors: 64,
    ivLargeSectors: true,
  })
  for (let sector = 0; sector < SECTORS; sector++) {
    const metadata = tagBytes.subarray(sector * 32, (sector + 1) * 32)
    const aad = Buffer.alloc(20)
    aad.writeBigUInt64LE(BigInt(sector * 2))
    aad.set(metadata.subarray(16, 28), 8)
    const cipher = createCipheriv("aes-256-gcm", KEY.slice(0, 32), metadata.subarray(16, 28)).setAAD(aad)
    const expected = cipher.update(pattern(device.size).subarray(sector * 1024, (sector + 1) * 1024))
    cipher.final()
    expect(Buffer.compare(bytes.subarray(sector * 1024, (sector + 1) * 1024), expected)).toBe(0)
    expect([...metadata]).toEqual([...cipher.getAuthTag(), ...metadata.subarray(16, 28), 0, 0, 0, 0])
  }
})

test("authenc: HMAC over sector, IV and ciphertext; the cipher key comes first", async () => {
  const { bytes, tagBytes } = await filled(AUTHENC, { ivOffsetSectors: 9 })
  const head = Buffer.alloc(24)
  head.writeBigUInt64LE(5n)
  head.writeBigUInt64LE(14n, 8)
  const cipher = createCipheriv("aes-256-xts", KEY.slice(0, 64), head.subarray(8))
  const expected = cipher.update(pattern(bytes.length).subarray(5 * 512, 6 * 512))
  expect(Buffer.compare(bytes.subarray(5 * 512, 6 * 512), expected)).toBe(0)
  const tag = createHmac("sha256", KEY.slice(64)).update(head).update(expected).digest()
  expect(Buffer.compare(tagBytes.subarray(5 * 32, 6 * 32), tag)).toBe(0)
})

test("random IVs are fresh for each sector of each write, also of the same data", async () => {
  const { device, tagBytes } = build(GCM)
  const seen = new Set<string>()
  for (let round = 0; round < 8; round++) {
    await device.write(0, new Uint8Array(device.size))
    for (let sector = 0; sector < SECTORS; sector++) {
      seen.add(Buffer.from(tagBytes.subarray(sector * 28 + 16, (sector + 1) * 28)).toString("hex"))
    }
  }
  expect(seen.size).toBe(8 * SECTORS)
  expect(device.layer.status()).toMatchObject({ sectorsWritten: 8 * SECTORS, integritySize: 28 })
})

test.each([GCM, CHACHA])("$cipher: a write that takes the key beyond 2^32 sectors is refused whole", async (spec) => {
  const events: DeviceEvent[] = []
  const onEvent = (event: DeviceEvent) => void events.push(event)
  const { device, bytes, tagBytes } = build(spec, { sectorsWritten: 2 ** 32 - 2 * SECTORS, onEvent })
  await device.write(0, pattern(device.size))
  expect(events).toMatchObject([{ kind: "limit", device: "crypt" }])
  const medium = Buffer.concat([bytes, tagBytes])
  await device.write(0, pattern(device.size - 512))
  expect(Buffer.concat([bytes, tagBytes])).not.toEqual(medium)
  medium.set([...bytes, ...tagBytes])
  const place = { code: "REFUSED", operation: "write", offset: 512 }
  expect(await failureOf(device.write(512, pattern(1024)))).toMatchObject(place)
  expect(await failureOf(device.writeZeroes(0, device.size))).toMatchObject({ code: "REFUSED" })
  expect(Buffer.concat([bytes, tagBytes])).toEqual(medium)
  expect(device.layer.status()).toMatchObject({ sectorsWritten: 2 ** 32 - 1 })
  await device.writeZeroes(0, 512)
  expect(await failureOf(device.write(0, new Uint8Array(512)))).toMatchObject({ code: "REFUSED" })
  await device.read(0, new Uint8Array(device.size))
  expect(events.length).toBe(1)
})

test.each(SPECS.filter((spec) => spec !== GCM && spec !== CHACHA && spec.keySize !== 16))(
  "$cipher has no such limit",
  async (spec) => {
    const { device } = build(spec, { sectorsWritten: 2 ** 32 })
    await device.write(0, pattern(device.size))
    expect(device.layer.status()).not.toHaveProperty("sectorsWritten")
  },
)

test("randomness comes from the runtime", async () => {
  const runtime = { ...hostRuntime, fillRandom: (bytes: Uint8Array) => void bytes.fill(0x5a) }
  const { tagBytes } = await filled(GCM, { runtime })
  expect([...tagBytes.subarray(16, 28)]).toEqual(Array(12).fill(0x5a))
})

test("a failure names the lowest run, whole, and is told", async () => {
  const events: DeviceEvent[] = []
  const { device, bytes, tagBytes } = await filled(GCM, { onEvent: (event) => void events.push(event) })
  for (const sector of [3, 4, 9]) flip(bytes, sector * 512 + 7)
  flip(tagBytes, 5 * 28 + 20)
  const place = { code: "INTEGRITY", offset: 3 * 512, length: 3 * 512 }
  expect(await failureOf(device.read(0, new Uint8Array(device.size)))).toMatchObject(place)
  expect(events).toMatchObject([{ kind: "corruption", device: "crypt", offset: 3 * 512, length: 3 * 512 }])
  expect(await failureOf(device.read(512 * 4, new Uint8Array(512)))).toMatchObject({ offset: 4 * 512, length: 512 })
  await device.read(512 * 6, new Uint8Array(512 * 3))
})

test.each([GCM, AUTHENC])("$cipher: a run goes on over the pieces of a long request", async (spec) => {
  const { cipher, keySize, tagSize } = spec
  const size = 5 * 1024 * 1024
  const lower = memoryDevice({ size, tagSize, blockSize: 4096 })
  const options = { lower, size, cipher, key: KEY.slice(0, keySize), ivOffsetSectors: 0, sectorSize: 4096 }
  const device = cryptTarget({ ...options, integrity: { tagSize, kind: "aead" } })
  const data = pattern(size)
  await device.write(0, data)
  const back = new Uint8Array(size)
  await device.read(0, back)
  expect(Buffer.compare(back, data)).toBe(0)
  await lower.write(1024 * 1024 - 8192, new Uint8Array(4 * 4096))
  expect(await failureOf(device.read(0, back))).toMatchObject({ offset: 1024 * 1024 - 8192, length: 4 * 4096 })
})

test("a place that fails below does not hide a bad sector before it", async () => {
  const { bytes, tagBytes } = await filled(GCM)
  const lower = memoryDevice({ bytes, tagBytes, tagSize: 28 })
  const broken: BlockDevice = {
    ...lower,
    async read(offset, buffer, tags) {
      if (offset <= 8 * 512 && 8 * 512 < offset + buffer.length) {
        buffer.fill(0)
        throw new BlockError("IO", "broken", { device: "memory", offset: 8 * 512, length: 512 })
      }
      await lower.read(offset, buffer, tags)
    },
  }
  const { device } = build(GCM, { lower: broken })
  const buffer = new Uint8Array(bytes.length)
  expect(await failureOf(device.read(0, buffer))).toMatchObject({ code: "IO" })
  flip(bytes, 2 * 512)
  expect(await failureOf(device.read(0, buffer))).toMatchObject({ code: "INTEGRITY", offset: 1024, length: 512 })
  flip(bytes, 2 * 512)
  flip(bytes, 7 * 512)
  expect(await failureOf(device.read(0, buffer))).toMatchObject({ code: "INTEGRITY", offset: 7 * 512, length: 512 })
})

test("a sector that was never written does not verify", async () => {
  const { device } = build(GCM)
  expect(await failureOf(device.read(0, new Uint8Array(512)))).toMatchObject({
    code: "INTEGRITY",
    offset: 0,
    length: 512,
  })
})

test.each([
  ["an AEAD without integrity", { integrity: undefined }, "INVALID"],
  ["a lower without tags", { lower: memoryDevice({ size: 4096 }) }, "INVALID"],
  ["tags that are too small below", { lower: memoryDevice({ size: 4096, tagSize: 27 }) }, "INVALID"],
  ["a lower of other blocks", { lower: memoryDevice({ size: 8192, tagSize: 28, blockSize: 4096 }) }, "INVALID"],
  ["a tag larger than the algorithm's", { integrity: { tagSize: 29, kind: "aead" } }, "INVALID"],
  ["no room for a tag", { integrity: { tagSize: 12, kind: "aead" } }, "INVALID"],
  ["a truncated tag", { integrity: { tagSize: 27, kind: "aead" } }, "UNSUPPORTED"],
  ["a truncated tag that GCM does not have", { integrity: { tagSize: 22, kind: "aead" } }, "INVALID"],
  ["no AEAD", { cipher: "capi:xts(aes)-plain64", key: KEY.slice(0, 64) }, "INVALID"],
] as const)("%s is refused", (_what, options, code) => {
  expect(() => build(GCM, { size: 4096, ...options })).toThrow(expect.objectContaining({ name: "BlockError", code }))
})
