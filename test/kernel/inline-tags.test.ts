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
function scriptOf(volume: Volume, index: number): string {
  const count = MOVED_SIZE / BLOCK_SIZE
  return `dmsetup create plain --table '${lineOf(volume, `/dev/img${index}`)}'
    sha256sum < /dev/mapper/plain | cut -c1-64
    dd if=/dev/mapper/plain of=/dev/mapper/plain bs=${BLOCK_SIZE} count=${count} skip=${SIZE / BLOCK_SIZE - count} conv=notrunc,fsync status=none
    sha256sum < /dev/mapper/plain | cut -c1-64
    dmsetup remove plain`
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
      const hashes = printed.trim().split("\n")
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
})
