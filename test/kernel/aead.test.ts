import { createHash } from "node:crypto"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { cryptTarget } from "@blockstrata/crypt"
import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import { formatIntegrity, openIntegrity } from "@blockstrata/integrity"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { describe, expect, test } from "vitest"
import { hexKey } from "./crypt-lines.ts"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"

const IMAGE_SIZE = 2 * 1024 * 1024

interface Volume {
  readonly cipher: string
  readonly keySize: number
  readonly tagSize: number
  readonly sectorSize: number
  readonly ivOffsetSectors: bigint
  readonly ivLargeSectors: boolean
}

const VOLUMES: readonly Volume[] = [
  { cipher: "gcm(aes)-random", keySize: 32, tagSize: 28, sectorSize: 4096, ivOffsetSectors: 0n, ivLargeSectors: false },
  { cipher: "gcm(aes)-random", keySize: 16, tagSize: 28, sectorSize: 512, ivOffsetSectors: 5n, ivLargeSectors: false },
  {
    cipher: "rfc7539(chacha20,poly1305)-random",
    keySize: 32,
    tagSize: 28,
    sectorSize: 1024,
    ivOffsetSectors: 2n ** 64n - 16n,
    ivLargeSectors: true,
  },
  {
    cipher: "authenc(hmac(sha256),xts(aes))-plain64",
    keySize: 96,
    tagSize: 32,
    sectorSize: 4096,
    ivOffsetSectors: 2n ** 64n - 64n,
    ivLargeSectors: true,
  },
  {
    cipher: "authenc(hmac(sha256),xts(aes))-random",
    keySize: 80,
    tagSize: 48,
    sectorSize: 512,
    ivOffsetSectors: 7n,
    ivLargeSectors: false,
  },
]

async function open(volume: Volume, image: Uint8Array, size: number, engine = nodeEngine): Promise<BlockDevice> {
  const { tagSize, sectorSize } = volume
  const medium = memoryDevice({ bytes: image, blockSize: 512 })
  const tags = await openIntegrity({ lower: medium, size, mode: "D", tagSize, internalHash: undefined })
  return cryptTarget({
    ...volume,
    lower: tags,
    size,
    cipher: `capi:${volume.cipher}`,
    key: Buffer.from(hexKey(volume.keySize), "hex"),
    sectorSize,
    integrity: { tagSize, kind: "aead" },
    engine,
  })
}

async function makeVolume(
  volume: Volume,
  engine = nodeEngine,
): Promise<{ volume: Volume; image: Uint8Array; size: number; plaintext: Uint8Array }> {
  const image = new Uint8Array(IMAGE_SIZE)
  const { tagSize, sectorSize: blockSize } = volume
  const lower = memoryDevice({ bytes: image, blockSize: 512 })
  const superblock = await formatIntegrity({
    lower,
    tagSize,
    blockSize,
    internalHash: undefined,
    interleaveSectors: 1024,
    wipe: false,
  })
  const size = superblock.providedSectors * 512
  const plaintext = new Uint8Array(size).map((_, index) => (index * 31 + Math.floor(index / 4096)) % 256)
  const device = await open(volume, image, size, engine)
  await device.write(0, plaintext)
  await device.close()
  return { volume, image, size, plaintext }
}

function linesOf(
  { cipher, keySize, tagSize, sectorSize, ivOffsetSectors, ivLargeSectors }: Volume,
  sectors: number,
  disk: string,
): string[] {
  const options = [
    `integrity:${tagSize}:aead`,
    ...(sectorSize === 512 ? [] : [`sector_size:${sectorSize}`]),
    ...(ivLargeSectors ? ["iv_large_sectors"] : []),
  ]
  return [
    `0 ${sectors} integrity ${disk} 0 ${tagSize} D 2 block_size:${sectorSize} interleave_sectors:1024`,
    `0 ${sectors} crypt capi:${cipher} ${hexKey(keySize)} ${ivOffsetSectors} /dev/mapper/tags 0 ${options.length} ${options.join(" ")}`,
  ]
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

describe.skipIf(ORACLE === undefined)(`AEAD volumes and Linux 6.1 (${ORACLE_NEEDS})`, () => {
  test("written here, read there; changed there, read here", { timeout: 600_000 }, async () => {
    await withFolder(async (folder) => {
      const made = await Promise.all(
        VOLUMES.map((volume, index) => makeVolume(volume, index % 2 === 0 ? nodeEngine : portableEngine)),
      )
      const script = ["set -e"]
      for (const [index, { volume, image, size }] of made.entries()) {
        await writeFile(join(folder, `disk${index}`), image)
        const [tags, crypt] = linesOf(volume, size / 512, `/dev/img${index}`)
        script.push(
          `dmsetup create tags --table '${tags}'`,
          `dmsetup create plain --table '${crypt}'`,
          "sha256sum < /dev/mapper/plain | cut -c1-64",
          // The last 64 KiB become the first ones.
          `dd if=/dev/mapper/plain of=/dev/mapper/plain bs=4096 count=16 seek=${Math.floor(size / 4096) - 16} conv=notrunc,fsync status=none`,
          "sha256sum < /dev/mapper/plain | cut -c1-64",
          "dmsetup remove plain; dmsetup remove tags",
        )
      }
      const printed = (
        await runInKernel(
          folder,
          script.join("\n"),
          made.map((_, index) => `disk${index}`),
        )
      )
        .trim()
        .split("\n")
      for (const [index, { volume, size, plaintext }] of made.entries()) {
        expect(printed[2 * index], volume.cipher).toBe(sha256(plaintext))
        const device = await open(volume, new Uint8Array(await readFile(join(folder, `disk${index}`))), size)
        const changed = new Uint8Array(size)
        await device.read(0, changed)
        expect(sha256(changed)).toBe(printed[2 * index + 1])
        expect(sha256(changed)).not.toBe(printed[2 * index])
      }
    })
  })
})
