import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { memoryDevice } from "@blockstrata/device"
import {
  completeIntegrityLine,
  type FormatIntegrityOptions,
  formatIntegrity,
  type InternalHash,
  integrityWord,
  openIntegrity,
} from "@blockstrata/integrity"
import { expect, test } from "vitest"
import { sha256 } from "../vector.ts"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"

const IMAGE_SIZE = 2 * 1024 * 1024
const KEY = Uint8Array.from({ length: 32 }, (_, index) => index * 5)

type Format = Pick<
  FormatIntegrityOptions,
  "tagSize" | "blockSize" | "interleaveSectors" | "journalSectors" | "legacyPadding" | "legacyHmac"
>
interface Written {
  readonly name: string
  readonly image: Uint8Array
  readonly line: string
  readonly printed: string
  readonly plaintextSha256: string
}

const VOLUMES: readonly (Format & { readonly internalHash: InternalHash })[] = [
  { internalHash: { name: "sha256" }, tagSize: 32, blockSize: 512, interleaveSectors: 1024 },
  { internalHash: { name: "sha256" }, tagSize: 40, blockSize: 4096, journalSectors: 1000 },
  { internalHash: { name: "crc32c" }, tagSize: 4, blockSize: 1024, legacyPadding: true, legacyHmac: true },
  { internalHash: { name: "hmac(sha256)", key: KEY }, tagSize: 20, blockSize: 2048, interleaveSectors: 8 },
]

/** Formats, writes all over the volume in mode D, and gives the line that opens it. */
async function write(index: number): Promise<Written> {
  const { internalHash, ...format } = VOLUMES[index]!
  const image = new Uint8Array(IMAGE_SIZE)
  const lower = memoryDevice({ bytes: image })
  const superblock = await formatIntegrity({ ...format, lower, internalHash, wipe: true })
  const size = superblock.providedSectors * 512
  const device = await openIntegrity({ lower, size, mode: "D", internalHash })
  const plaintext = new Uint8Array(size)
  for (let offset = 0; offset + 20480 <= size; offset += 36864) {
    const data = Uint8Array.from({ length: 20480 }, (_, at) => (at * 13 + offset) % 251)
    await device.write(offset, data)
    plaintext.set(data, offset)
  }
  await device.close()
  const key = "key" in internalHash ? `:${Buffer.from(internalHash.key).toString("hex")}` : ""
  const args = `DEV 0 ${format.tagSize} D 2 block_size:${format.blockSize} internal_hash:${internalHash.name}${key}`
  const parsed = integrityWord.parse(args.split(" "), size)
  const printed = integrityWord.print(completeIntegrityLine(parsed, superblock), { showKeys: true })
  return {
    name: `v${index}`,
    image,
    line: `0 ${size / 512} integrity ${args}`,
    printed: `0 ${size / 512} integrity ${printed.join(" ")}`,
    plaintextSha256: sha256(plaintext),
  }
}

test.skipIf(!ORACLE)(`volumes written here open in Linux and read the same (${ORACLE_NEEDS})`, async () => {
  await withFolder(async (folder) => {
    const volumes: Written[] = []
    for (const index of VOLUMES.keys()) volumes.push(await write(index))
    for (const { name, image } of volumes) await writeFile(join(folder, `${name}.img`), image)
    const commands = volumes.map(
      ({ name, line }, index) => `dmsetup create ${name} --table '${line.replace("DEV", `/dev/img${index}`)}'
dmsetup table --showkeys ${name} | sed -E 's/integrity [0-9]+:[0-9]+/integrity DEV/'
sha256sum < /dev/mapper/${name} | cut -c1-64
dmsetup remove ${name}`,
    )
    const images = volumes.map(({ name }) => `${name}.img`)
    const printed = await runInKernel(folder, `set -e\n${commands.join("\n")}\n`, images)
    const expected = volumes.flatMap((volume) => [volume.printed, volume.plaintextSha256])
    expect(printed.trim().split("\n")).toEqual(expected)
  })
})
