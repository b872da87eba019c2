import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { openVolume } from "blockstrata"
import { describe, expect, test } from "vitest"
import { sha256 } from "../vector.ts"
import { readAll } from "../vector-stack.ts"
import { hexKey } from "./crypt-lines.ts"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"

const SIZE = 256 * 1024
const BLOCK_SIZE = 4096
const METADATA_SIZE = 64
const MOVED_SIZE = 16 * BLOCK_SIZE

const VOLUMES = [
  { cipher: "authenc(hmac(sha256),xts(aes))-plain64", keySize: 96, tagSize: 32 },
  { cipher: "authenc(hmac(sha256),xts(aes))-random", keySize: 80, tagSize: 48 },
  { cipher: "gcm(aes)-random", keySize: 16, tagSize: 28 },
  { cipher: "rfc7539(chacha20,poly1305)-random", keySize: 32, tagSize: 28 },
]
type Volume = (typeof VOLUMES)[number]

function lineOf({ cipher, keySize, tagSize }: Volume, operand: string): string {
  const options = `2 integrity:${tagSize}:aead sector_size:${BLOCK_SIZE}`
  return `0 ${SIZE / 512} crypt capi:${cipher} ${hexKey(keySize)} 8 ${operand} 0 ${options}`
}

async function open(volume: Volume, path: string, engine = nodeEngine) {
  const table = lineOf(volume, `${path},blocksize=${BLOCK_SIZE},tagsize=${METADATA_SIZE}`)
  return (await openVolume({ table, engine })).device
}

/** The last 64 KiB become the first ones. */
async function moveEnd(volume: Volume, path: string): Promise<void> {
  const device = await open(volume, path, portableEngine)
  const end = new Uint8Array(MOVED_SIZE)
  await device.read(SIZE - MOVED_SIZE, end)
  await device.write(0, end)
  await device.close()
}

/** What the kernel does with a volume: prints its hash, moves its end as `moveEnd` does, prints the hash again. */
function scriptFor(line: string, size: number): string {
  const count = MOVED_SIZE / BLOCK_SIZE
  return `dmsetup create plain --table '${line}'
    sha256sum < /dev/mapper/plain | cut -c1-64
    dd if=/dev/mapper/plain of=/dev/mapper/plain bs=${BLOCK_SIZE} count=${count} skip=${size / BLOCK_SIZE - count} conv=notrunc,fsync status=none
    sha256sum < /dev/mapper/plain | cut -c1-64
    dmsetup table --showkeys plain | sed -E 's/ [0-9]+:[0-9]+ / DEV /'
    dmsetup remove plain`
}

const scriptOf = (volume: Volume, index: number) => scriptFor(lineOf(volume, `/dev/img${index}`), SIZE)

/** Mode I: hash, tag size, block size, further options. */
const INTEGRITY = [
  { hash: "crc32c", tagSize: 4, blockSize: 512, options: "fix_hmac" },
  { hash: "xxhash64", tagSize: 8, blockSize: 4096, options: "" },
  { hash: "sha512", tagSize: 16, blockSize: 4096, options: "fix_hmac fix_padding interleave_sectors:100" },
  { hash: `hmac(sha256):${hexKey(32)}`, tagSize: 40, blockSize: 512, options: "fix_hmac sectors_per_bit:77" },
]
type Integrity = (typeof INTEGRITY)[number]

function integrityLine({ hash, tagSize, blockSize, options }: Integrity, operand: string): string {
  const words = [`block_size:${blockSize}`, `internal_hash:${hash}`, ...options.split(" ").filter(Boolean)]
  return `0 ${SIZE / 512} integrity ${operand} 0 ${tagSize} I ${words.length} ${words.join(" ")}`
}

describe.skipIf(ORACLE === undefined)(`inline tags and Linux 6.12 (${ORACLE_NEEDS})`, () => {
  test("written here, read there; changed there, read here", { timeout: 600_000 }, async () => {
    await withFolder(async (folder) => {
      const plaintext = new Uint8Array(SIZE).map((_, index) => (index * 31 + Math.floor(index / 4096)) % 256)
      const paths = VOLUMES.map((_, index) => join(folder, `disk${index}`))
      for (const [index, path] of paths.entries()) {
        await writeFile(path, new Uint8Array(SIZE + (SIZE / BLOCK_SIZE) * METADATA_SIZE).fill(0xee))
        const device = await open(VOLUMES[index]!, path, index % 2 === 0 ? nodeEngine : portableEngine)
        await device.write(0, plaintext)
        await device.close()
        await writeFile(`${path}-before`, await readFile(path))
      }
      const images = VOLUMES.map((_, index) => `disk${index},bs=${BLOCK_SIZE},ms=${METADATA_SIZE}`)
      const printed = await runInKernel(folder, ["set -e", ...VOLUMES.map(scriptOf)].join("\n"), images, "trixie")
      const hashes = printed.split("\n").filter((line) => /^[0-9a-f]{64}$/.test(line))
      const changed = Uint8Array.from(plaintext)
      changed.copyWithin(0, SIZE - MOVED_SIZE)
      expect(hashes).toEqual(VOLUMES.flatMap(() => [sha256(plaintext), sha256(changed)]))
      for (const [index, path] of paths.entries()) {
        const volume = VOLUMES[index]!
        const device = await open(volume, path)
        expect(sha256(await readAll(device)), volume.cipher).toBe(sha256(changed))
        await device.close()
        // Without random IVs the same change gives the same file, metadata and all.
        await moveEnd(volume, `${path}-before`)
        const isSame = sha256(await readFile(`${path}-before`)) === sha256(await readFile(path))
        expect(isSame, volume.cipher).toBe(!volume.cipher.endsWith("-random"))
      }
    })
  })

  test("the same of dm-integrity in mode I", { timeout: 600_000 }, async () => {
    await withFolder(async (folder) => {
      const plaintext = new Uint8Array(SIZE).map((_, index) => (index * 29 + Math.floor(index / 4096)) % 256)
      const changed = Uint8Array.from(plaintext)
      changed.copyWithin(0, SIZE - MOVED_SIZE)
      const openHere = async (index: number) => {
        const operand = `${join(folder, `disk${index}`)},blocksize=${INTEGRITY[index]!.blockSize},tagsize=${METADATA_SIZE}`
        return await openVolume({ table: integrityLine(INTEGRITY[index]!, operand) })
      }
      const expected: string[] = []
      for (const [index, { blockSize }] of INTEGRITY.entries()) {
        const size = SIZE + 4096
        // Zeroes where the superblock belongs: the opening formats.
        const image = new Uint8Array(size + (size / blockSize) * METADATA_SIZE).fill(0xee).fill(0, 0, 4096)
        await writeFile(join(folder, `disk${index}`), image)
        const { device, printTable } = await openHere(index)
        await device.write(0, plaintext)
        await device.close()
        const line = printTable({ showKeys: true }).split(",rw,").at(-1)!
        expected.push(sha256(plaintext), sha256(changed), line.replace(/ integrity \S+ /, " integrity DEV "))
      }
      const images = INTEGRITY.map(({ blockSize }, index) => `disk${index},bs=${blockSize},ms=${METADATA_SIZE}`)
      const scripts = INTEGRITY.map((volume, index) => scriptFor(integrityLine(volume, `/dev/img${index}`), SIZE))
      const printed = await runInKernel(folder, ["set -e", ...scripts].join("\n"), images, "trixie")
      expect(printed.trim().split("\n")).toEqual(expected)
      for (const index of INTEGRITY.keys()) {
        const { device } = await openHere(index)
        expect(sha256(await readAll(device))).toBe(sha256(changed))
        await device.close()
      }
    })
  })
})
