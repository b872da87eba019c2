import { createHash } from "node:crypto"
import { hostRuntime } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import fc from "fast-check"
import { describe, expect, inject, test } from "vitest"
import { sha256Counter } from "../../../test/plaintext.ts"
import { runCount } from "../../../test/run-count.ts"
import { loadSharedVectors, loadVector, sha256 } from "../../../test/vector.ts"
import { parseCipherSpec } from "./cipher-spec.ts"
import { elephantPass } from "./elephant-pass.ts"
import type { IvGenerator, SectorNumbering } from "./iv.ts"
import { TCW_KEY_SIZE } from "./key-layout.ts"
import { lmkPass } from "./lmk-pass.ts"
import { sectorEncryption } from "./sector-encryption.ts"
import { tcwPass } from "./tcw-pass.ts"

const ENGINES = [nodeEngine, portableEngine]
const VECTORS = ["crypt-aes-64-cbc-lmk", "crypt-aes-cbc-tcw", "crypt-aes-cbc-elephant"]

/** What of a table line matters here. */
interface Line {
  /** `aes:64-cbc-lmk` */
  readonly cipher: string
  readonly key: Uint8Array
  readonly ivOffsetSectors: bigint
  readonly sectorSize: number
  readonly ivLargeSectors: boolean
}

interface Volume {
  encrypt(offset: number, source: Uint8Array, target: Uint8Array): void
  decrypt(offset: number, data: Uint8Array): void
}

function parseLine(line: string): Line {
  const [, , , cipher = "", key = "", ivOffset = "0", , , , ...options] = line.split(" ")
  return {
    cipher,
    key: Buffer.from(key, "hex"),
    ivOffsetSectors: BigInt(ivOffset),
    sectorSize: Number(options.find((option) => option.startsWith("sector_size:"))?.slice(12) ?? 512),
    ivLargeSectors: options.includes("iv_large_sectors"),
  }
}

function openVolume(line: Line, engine: Engine): Volume {
  const { cipher, sectorSize } = line
  const parts = { ...line, engine, blockCiphers: undefined, runtime: hostRuntime }
  const encryption = sectorEncryption(parts, parseCipherSpec(cipher, undefined))
  const ivs = (length: number) => new Uint8Array((length / sectorSize) * 16).fill(0xee)
  return {
    encrypt: (offset, source, target) => encryption.encrypt(offset, source, target, ivs(source.length)),
    decrypt: (offset, data) => encryption.decrypt(offset, data, data, ivs(data.length)),
  }
}

const FAR = 2n ** 57n + 2n ** 40n - 8n

/**
 * What Linux 6.1.176 made of the 64 KiB `sha256Counter("sector passes")`: cipher, bytes of key, IV offset, options, and the
 * SHA-256 of the ciphertext. The key is the start of `sha256Counter("sector pass keys")`.
 */
const KERNEL_ANSWERS: readonly (readonly [string, number, bigint, string, string])[] = [
  ["aes-cbc-lmk", 16, 0n, "", "87997cb1b6f0d770f270ba2503d84581fc87e86a562137066a471c7981ab53b3"],
  ["aes:64-cbc-lmk", 64 * 32, 0n, "", "8a1f68b93a343e17e706b7f63b250eb9852a39c87f9491cb6984bcaf09d05d54"],
  ["aes:64-cbc-lmk", 64 * 16, 2n ** 32n - 64n, "", "368e192cd34d0418c9c4b555fca71e7bcda63e0a0b4e3e2583383b201ac3048a"],
  ["aes:64-cbc-lmk", 65 * 16, 0n, "", "37ae7d18796fe39d7638e7308e6864d1a58a296014936b079287023e3c32d0e5"],
  ["aes:64-cbc-lmk", 65 * 32, 0n, "", "3756ec701054dfc940d73eb477fcfe2601feccf29fc543311d3b53057ffb858b"],
  ["aes:64-cbc-lmk", 65 * 32, FAR, "", "405a5965eb05f0c2a3c0b8e01ce6accc80fda70b6f304b90f12d1775f0e9b747"],
  ["aes-cbc-tcw", 16 + 32, 0n, "", "07676aefa895a076e7ae7b1b9e80da006e77df883c72ec73c49f2d7912af7e2a"],
  ["aes-cbc-tcw", 24 + 32, FAR, "", "69cfa718536cd2daf774f5b0584b9b49aa612ecc2091addf7879c5d521c6cfe0"],
  ["aes-cbc-tcw", 32 + 32, 2n ** 32n - 64n, "", "ddb9217b8d4187f98f961c9dbd4b8886d0980f69964c827e5988c2cb722e09f2"],
  ["aes-cbc-elephant", 48, 0n, "", "6fe3da5a27e3b0ee01dd1aeac0f1928ac4e01885819d999126fd3b2d354633ab"],
  ["aes-cbc-elephant", 64, 2n ** 23n - 64n, "", "b920813c02d34c8e3173900ee0ccb0c2f8f3becc4e319b6e72e6c8d2a1fbf987"],
  [
    "aes-cbc-elephant",
    64,
    0n,
    "1 sector_size:4096",
    "6ffb7b901a3460b4db61724bbf2b12a00dcf85d50a3d47605770e5f91f00b938",
  ],
  [
    "aes-cbc-elephant",
    64,
    8n,
    "2 sector_size:4096 iv_large_sectors",
    "22cbe2ebf5eb024061949a35cccebd8ab6046f644606390038513c5834c02e8e",
  ],
  [
    "aes-cbc-elephant",
    32,
    FAR,
    "1 sector_size:2048",
    "e49a9424446886412b3a03292ffae575d29bdffa15a7d37752d829eccd74a5f2",
  ],
  [
    "aes-cbc-elephant",
    48,
    2n ** 33n - 64n,
    "2 sector_size:1024 iv_large_sectors",
    "25de2450242b4bf854577f14d18d06c16958c369be5facff2632c99479ed6a1d",
  ],
  ["aes:64-cbc-lmk", 65 * 24, 5n, "", "858a5c15bdf1770336ec47deb5a58bc7dd6d99cc00803528a0c2d9e591bb5447"],
  ["aes:128-cbc-lmk", 129 * 16, 5n, "", "746d3a9edf38fe596bc71613edb41690a9dbc750901cfc0046a030a7c2d86959"],
  ["aes:2-cbc-lmk", 48, 5n, "", "9e4a7f2b39923481a991887377cfbdc6a4edcd0caa56c1308347ffc8f22e251a"],
  ["aes-xts-tcw", 96, 5n, "", "23e40cdae641f1011c64ac47ae4ca11044592bc82bcdddb0d9461badaf4bd965"],
  ["aes-lrw-tcw", 64, 5n, "", "a7f8bc16c93ef4866d2000069d57f269ee3181224e13a87d7cf088b01c492e1a"],
  ["aes:2-cbc-tcw", 64, 5n, "", "b735c90ee8b8c8800bcc530d32ab096c18219e4abcaeb694b721c0b67fd42a04"],
  ["aes:2-cbc-elephant", 64, 5n, "", "4b6c6ccdfe0a81a7df95cd57637ef6f213d9f72ef2ad5e5fbd2773875f0b37f0"],
  ["aes-xts-elephant", 64, 5n, "", "42836030d223e38993f43cbffa5b46535fa9789ea744969ead25470ab6e54b4c"],
]

describe.each(ENGINES)("on $name", (engine) => {
  const expectBothWays = (line: string, plaintext: Uint8Array, ciphertextHash: string) => {
    const volume = openVolume(parseLine(line), engine)
    const bytes = new Uint8Array(plaintext.length)
    volume.encrypt(0, plaintext, bytes)
    expect(sha256(bytes)).toBe(ciphertextHash)
    volume.decrypt(0, bytes)
    expect(sha256(bytes)).toBe(sha256(plaintext))
  }

  const shared = loadSharedVectors().filter(({ name }) => /-(?:lmk|tcw|elephant)\b/.test(name))
  const vectors = [...VECTORS.map(loadVector), ...shared.filter(({ name }) => !VECTORS.includes(name))]
  test.each(vectors)("$name: a volume that the kernel wrote, both ways", ({ manifest, stack, image }) => {
    const { seed, length = 0, sha256: plaintextHash } = manifest.plaintext
    const plaintext = sha256Counter(seed, length)
    expect(sha256(plaintext)).toBe(plaintextHash)
    const ciphertext = image("disk.img")
    expectBothWays(stack[0]?.line ?? "", plaintext, sha256(ciphertext))
    openVolume(parseLine(stack[0]?.line ?? ""), engine).decrypt(0, ciphertext)
    expect(sha256(ciphertext)).toBe(manifest.expect.sha256)
  })

  test.each(KERNEL_ANSWERS)("%s, %i bytes of key, IV offset %i, options '%s': the kernel's bytes", (...answer) => {
    const [cipher, keySize, ivOffset, options, ciphertextHash] = answer
    const key = Buffer.from(sha256Counter("sector pass keys", keySize)).toString("hex")
    const line = `0 128 crypt ${cipher} ${key} ${ivOffset} img:disk.img 0 ${options}`
    expectBothWays(line.trimEnd(), sha256Counter("sector passes", 65536), ciphertextHash)
  })
})

const lines = fc
  .record({
    cipher: fc.constantFrom("aes-cbc-lmk", "aes:64-cbc-lmk", "aes-cbc-tcw", "aes-cbc-elephant"),
    cipherKeySize: fc.constantFrom(16, 24, 32),
    hasSeed: fc.boolean(),
    largeSectorSize: fc.constantFrom(512, 1024, 2048, 4096),
    ivLargeSectors: fc.boolean(),
    near: fc.constantFrom(0n, 2n ** 23n, 2n ** 32n, 2n ** 53n, 2n ** 56n, 2n ** 64n),
    distance: fc.bigInt({ min: -8n, max: 8n }),
    keySeed: fc.string(),
  })
  .map((made): Line => {
    const { cipher, cipherKeySize } = made
    const sectorSize = cipher.endsWith("elephant") ? made.largeSectorSize : 512
    const keyCount = cipher.startsWith("aes:64") ? (made.hasSeed ? 65 : 64) : cipher.endsWith("elephant") ? 2 : 1
    const extraSize = cipher.endsWith("tcw") ? TCW_KEY_SIZE : 0
    return {
      cipher,
      key: sha256Counter(made.keySeed, keyCount * cipherKeySize + extraSize),
      ivOffsetSectors: BigInt.asUintN(64, (made.near + made.distance) * BigInt(sectorSize / 512)),
      sectorSize,
      ivLargeSectors: made.ivLargeSectors,
    }
  })

test.each(["aes:64-cbc-lmk", "aes-cbc-tcw", "aes-cbc-elephant"])("%s: a long batch is its sectors", (cipher) => {
  const sizes = { lmk: 65 * 16, tcw: 48, elephant: 32 } as const
  const key = sha256Counter("key", sizes[cipher.split("-")[2] as keyof typeof sizes])
  const line: Line = { cipher, key, ivOffsetSectors: 2n ** 32n - 600n, sectorSize: 512, ivLargeSectors: false }
  const volume = openVolume(line, nodeEngine)
  const plaintext = sha256Counter("any", 1100 * 512)
  const [whole, pieces] = [new Uint8Array(plaintext.length), new Uint8Array(plaintext.length)]
  volume.encrypt(0, plaintext, whole)
  for (let at = 0; at < plaintext.length; at += 512)
    volume.encrypt(at, plaintext.subarray(at, at + 512), pieces.subarray(at, at + 512))
  expect(sha256(whole)).toBe(sha256(pieces))
  volume.decrypt(0, whole)
  expect(sha256(whole)).toBe(sha256(plaintext))
})

test("any batches of a request, at any alignment, are the request; decryption undoes it", () => {
  const requests = fc.record({
    line: lines,
    engine: fc.constantFrom(...ENGINES),
    firstSector: fc.integer({ min: 0, max: 300 }),
    sectorCount: fc.integer({ min: 1, max: 600 }),
    cut: fc.nat(),
    shift: fc.integer({ min: 0, max: 15 }),
    inPlace: fc.boolean(),
  })
  fc.assert(
    fc.property(requests, ({ line, engine, firstSector, sectorCount, cut, shift, inPlace }) => {
      const volume = openVolume(line, engine)
      const offset = firstSector * line.sectorSize
      const length = sectorCount * line.sectorSize
      const plaintext = new Uint8Array(length + shift).subarray(shift)
      plaintext.set(sha256Counter("any", length))
      const whole = new Uint8Array(length)
      volume.encrypt(offset, plaintext, whole)
      expect(sha256(plaintext)).toBe(sha256(sha256Counter("any", length)))

      const middle = (cut % sectorCount) * line.sectorSize
      const pieces = new Uint8Array(length + 3).subarray(3)
      if (inPlace) pieces.set(plaintext)
      const source = inPlace ? pieces : plaintext
      volume.encrypt(offset + middle, source.subarray(middle), pieces.subarray(middle))
      const head = pieces.subarray(0, middle)
      volume.encrypt(offset, inPlace ? head : plaintext.subarray(0, middle), head)
      expect(sha256(pieces)).toBe(sha256(whole))

      volume.decrypt(offset, pieces.subarray(0, middle))
      volume.decrypt(offset + middle, pieces.subarray(middle))
      expect(sha256(pieces)).toBe(sha256(plaintext))
    }),
    { seed: inject("seed"), numRuns: runCount(40) },
  )
})

test("lmk: without a seed, the IV is the MD5 of 503 bytes", () => {
  const bytes = sha256Counter("sectors", 2 * 512)
  const ivs = new Uint8Array(2 * 16)
  const ivOffsetSectors = 0xfe_dc_ba_98_76_54_32_10n
  const pass = lmkPass({ ivOffsetSectors, sectorSize: 512, ivLargeSectors: false })
  pass.beforeEncrypt(0, bytes, bytes, ivs)
  const expected = [0, 1].map((index) => {
    const number = Buffer.alloc(8)
    number.writeBigUInt64LE(ivOffsetSectors + BigInt(index))
    const plaintext = bytes.subarray(index * 512 + 16, (index + 1) * 512)
    return createHash("md5").update(plaintext).update(number.subarray(0, 7)).digest("hex")
  })
  expect(Buffer.from(ivs).toString("hex")).toBe(expected.join(""))
})

test("elephant: one bit flipped on the medium makes noise of its whole sector, and of no other", () => {
  const key = sha256Counter("key", 64)
  const line: Line = { cipher: "aes-cbc-elephant", key, ivOffsetSectors: 0n, sectorSize: 4096, ivLargeSectors: true }
  const volume = openVolume(line, nodeEngine)
  const zeros = new Uint8Array(3 * 4096)
  const bytes = new Uint8Array(zeros.length)
  volume.encrypt(0, zeros, bytes)
  bytes[4096 + 2000]! ^= 1
  volume.decrypt(0, bytes)
  const changed = [0, 1, 2].map((index) => bytes.subarray(index * 4096, (index + 1) * 4096).filter(Boolean).length)
  expect(changed[0]).toBe(0)
  expect(changed[1]).toBeGreaterThan(4000)
  expect(changed[2]).toBe(0)
})

const zeroIv: IvGenerator = { ivSize: 16, fill: (_offset, ivs) => void ivs.fill(0), destroy() {} }

test("a pass takes copies of the keys, and wipes nothing of the caller's", () => {
  const numbering: SectorNumbering = { ivOffsetSectors: 0n, sectorSize: 512, ivLargeSectors: false }
  const passes = (key: Uint8Array) => [
    lmkPass(numbering, key),
    tcwPass(numbering, key),
    elephantPass(numbering, zeroIv, key, portableEngine),
  ]
  const key = sha256Counter("key", 32)
  const kept = passes(new Uint8Array(key))
  const cleared = new Uint8Array(key)
  const copied = passes(cleared)
  cleared.fill(0)
  const results = [kept, copied].map((list) =>
    list.map((pass) => {
      const [bytes, ivs] = [new Uint8Array(512), new Uint8Array(16)]
      pass.beforeEncrypt(0, new Uint8Array(512), bytes, ivs)
      pass.afterEncrypt(0, bytes)
      return sha256(bytes) + sha256(ivs)
    }),
  )
  expect(results[1]).toEqual(results[0])
  const given = new Uint8Array(key)
  for (const pass of passes(given)) pass.destroy()
  expect(given).toEqual(key)
})

test("misuse is refused", () => {
  const sectors = (sectorSize: number): SectorNumbering => ({
    ivOffsetSectors: 0n,
    sectorSize,
    ivLargeSectors: false,
  })
  const bytes = (length: number) => new Uint8Array(length)
  expect(() => lmkPass(sectors(4096))).toThrow(RangeError)
  expect(() => lmkPass(sectors(512), bytes(15))).toThrow(RangeError)
  expect(() => lmkPass(sectors(512), bytes(65))).toThrow(RangeError)
  expect(() => tcwPass(sectors(1024), bytes(32))).toThrow(RangeError)
  expect(() => tcwPass(sectors(512), bytes(31))).toThrow(RangeError)
  for (const length of [0, 15, 33, 64])
    expect(() => elephantPass(sectors(512), zeroIv, bytes(length), portableEngine)).toThrow(RangeError)
})
