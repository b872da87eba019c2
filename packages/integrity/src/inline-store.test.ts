import { type BlockDevice, BlockError, defineDevice, hostRuntime, memoryDevice, share } from "@blockstrata/device"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { describe, expect, it, test } from "vitest"
import { plaintextOf } from "../../../test/plaintext.ts"
import { loadVector, sha256, type Vector } from "../../../test/vector.ts"
import { PIECE_SIZE } from "./block-store.ts"
import { formatIntegrity } from "./format-integrity.ts"
import { inspectIntegrity, printSuperblock } from "./inspect-integrity.ts"
import { integrityWord } from "./integrity-word.ts"
import { internalHashNamed } from "./internal-hash.ts"
import { type OpenIntegrityOptions, openIntegrity } from "./open-integrity.ts"
import { encodeSuperblock } from "./superblock.ts"

const TUPLE_SIZE = 64

/** A volume that Linux 6.12 wrote on an NVMe device with 64 bytes of metadata for each block. */
interface Volume {
  readonly vector: Vector
  readonly args: readonly string[]
  readonly size: number
  readonly blockSize: number
  readonly bytes: Uint8Array
  readonly tagBytes: Uint8Array
}

function volumeOf(name: string): Volume {
  const vector = loadVector(name)
  const [, sectors, , ...args] = vector.stack[0]!.line.split(" ")
  const blockSize = args.includes("block_size:4096") ? 4096 : 512
  const image = vector.image("disk.img")
  const dataSize = (image.length / (blockSize + TUPLE_SIZE)) * blockSize
  const [bytes, tagBytes] = [image.slice(0, dataSize), image.slice(dataSize)]
  return { vector, args, size: Number(sectors) * 512, blockSize, bytes, tagBytes }
}

function mediumOf({ bytes, tagBytes, blockSize }: Volume, readOnly = false): BlockDevice {
  return memoryDevice({ bytes, tagBytes, blockSize, tagSize: TUPLE_SIZE, readOnly })
}

function open(volume: Volume, readOnly: boolean, engine = nodeEngine): Promise<BlockDevice> {
  const { args, size } = volume
  const device = () => mediumOf(volume, readOnly)
  const line = integrityWord.parse(args, size)
  return integrityWord.open(line, { size, device, readOnly, runtime: hostRuntime, engine })
}

describe.each(["crc32c", "hmac-sha256", "sha256"])("what Linux wrote: %s", (hash) => {
  const name = `integrity-inline-${hash}`
  const expected = loadVector(name).manifest.expect

  it.each([nodeEngine, portableEngine])(
    "reads on the $name engine, and fails where a byte was changed",
    async (engine) => {
      const volume = volumeOf(name)
      const whole = new Uint8Array(volume.size)
      await (await open(volume, true, engine)).read(0, whole)
      expect(sha256(whole)).toBe(expected.sha256)
      const { flip_byte: at = 0, unit = 0, reads = [] } = expected.corruption ?? {}
      const changes = [
        () => (volume.bytes[at]! ^= 0xff),
        () => (volume.tagBytes[(at / volume.blockSize) * TUPLE_SIZE]! ^= 1),
      ]
      for (const change of changes) {
        change()
        const device = await open(volume, true, engine)
        for (const read of reads) {
          const [index, outcome] = read.split(" ")
          const offset = Number(index) * unit
          const reading = device.read(offset, new Uint8Array(unit))
          if (outcome === "ok") await reading
          else await expect(reading).rejects.toMatchObject({ code: "INTEGRITY", offset, length: unit })
        }
        change()
      }
    },
  )

  it.each([nodeEngine, portableEngine])(
    "formatted and written here to the same bytes, engine $name",
    async (engine) => {
      const volume = volumeOf(name)
      const { superblock } = await inspectIntegrity(memoryDevice({ bytes: volume.bytes }))
      expect(encodeSuperblock(superblock).subarray(0, 64)).toEqual(volume.bytes.subarray(0, 64))
      const line = integrityWord.parse(volume.args, volume.size)
      const key = Uint8Array.from(Buffer.from(line.internalHash?.keyHex ?? "", "hex"))
      const internalHash = internalHashNamed(line.internalHash!.name, key)
      const ours = {
        ...volume,
        bytes: new Uint8Array(volume.bytes.length),
        tagBytes: new Uint8Array(volume.tagBytes.length),
      }
      const lower = mediumOf(ours)
      const { tagSize, blockSize, salt } = superblock
      const format = { lower, tagSize, blockSize, salt, internalHash, legacyPadding: true, engine }
      expect(await formatIntegrity({ ...format, mode: "I", wipe: true })).toEqual(superblock)
      const device = await open(ours, false, engine)
      await device.write(0, plaintextOf(volume.vector.manifest, volume.size))
      await device.close()
      expect(Buffer.compare(ours.bytes, volume.bytes)).toBe(0)
      // The blocks of the superblock have no tags that mean anything.
      const first = (4096 / blockSize) * TUPLE_SIZE
      expect(Buffer.compare(ours.tagBytes.subarray(first), volume.tagBytes.subarray(first))).toBe(0)
    },
  )

  it("prints as dmsetup does, and dumps the flag", async () => {
    const volume = volumeOf(name)
    const line = integrityWord.parse(volume.args, volume.size)
    const printed = integrityWord.print(await integrityWord.complete!(line, await open(volume, true)), {
      showKeys: true,
    })
    const table = volume.vector.manifest.outputs["table"]!.split(" ").slice(5)
    expect(printed.slice(1)).toEqual(table)
    const { superblock, journal } = await inspectIntegrity(memoryDevice({ bytes: volume.bytes }))
    expect(printSuperblock(superblock)).toContain("flags fix_hmac inline")
    expect(journal).toBeUndefined()
  })
})

const internalHash = { name: "crc32c" } as const
const SIZE = PIECE_SIZE + 64 * 1024

async function formatted(tupleSize = 8): Promise<{ bytes: Uint8Array; tagBytes: Uint8Array; lower: BlockDevice }> {
  const [bytes, tagBytes] = [new Uint8Array(SIZE + 4096), new Uint8Array((SIZE / 512 + 8) * tupleSize)]
  const lower = memoryDevice({ bytes, tagBytes, tagSize: tupleSize })
  await formatIntegrity({ lower, tagSize: 4, blockSize: 512, internalHash, mode: "I", wipe: true })
  return { bytes, tagBytes, lower }
}

const openOn = (lower: BlockDevice, options: Partial<OpenIntegrityOptions> = {}) =>
  openIntegrity({ lower, size: SIZE, mode: "I", tagSize: 4, blockSize: 512, internalHash, ...options })

test.each([4, 8])(
  "a bad run over the end of a piece, a lower that fails, and zeroes behind a tag: %i bytes a block",
  async (tupleSize) => {
    const { bytes, tagBytes, lower } = await formatted(tupleSize)
    const device = await openOn(lower)
    await device.write(0, new Uint8Array(SIZE).fill(7))
    if (tupleSize > 4)
      for (let at = 8 * tupleSize; at < tagBytes.length; at += tupleSize) expect(tagBytes[at + 4]).toBe(0)
    for (const offset of [PIECE_SIZE - 512, PIECE_SIZE]) bytes[4096 + offset]! ^= 1
    const run = { code: "INTEGRITY", offset: PIECE_SIZE - 512, length: 1024 }
    await expect(device.read(0, new Uint8Array(SIZE))).rejects.toMatchObject(run)
    const failing = defineDevice({
      name: "failing",
      size: lower.size,
      blockSize: 512,
      tagSize: tupleSize,
      async read(offset, buffer, tags) {
        if (offset + buffer.length > 4096 + 10 * 512 && offset > 0)
          throw new BlockError("IO", "failing: gone", { offset: 4096 + 10 * 512, length: 512 })
        await lower.read(offset, buffer, tags)
      },
    })
    const over = await openOn(failing, { readOnly: true })
    await expect(over.read(0, new Uint8Array(8192))).rejects.toMatchObject({ code: "IO" })
    bytes[4096 + 5 * 512]! ^= 1
    await expect(over.read(0, new Uint8Array(8192))).rejects.toMatchObject({ code: "INTEGRITY", offset: 5 * 512 })
  },
)

test("tags that were never written are calculated", async () => {
  const lower = memoryDevice({ bytes: new Uint8Array(SIZE + 4096).fill(9, 4096), tagSize: 8 })
  await formatIntegrity({ lower, tagSize: 4, blockSize: 512, internalHash, mode: "I", wipe: false })
  const fresh = await openOn(share(lower), { readOnly: true })
  await expect(fresh.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: "INTEGRITY" })
  const device = await openOn(lower, { recalculate: true, recalculation: "now" })
  const whole = new Uint8Array(SIZE)
  await device.read(0, whole)
  expect(whole.every((byte) => byte === 9)).toBe(true)
})

test("prints the buffers that Linux prints, which no tag run makes smaller", async () => {
  const line = integrityWord.parse(
    "dev 0 16 I 3 internal_hash:sha512 interleave_sectors:64 fix_padding".split(" "),
    SIZE,
  )
  const device = () => memoryDevice({ size: SIZE + 4096, tagSize: 16 })
  const opened = await integrityWord.open(line, { size: SIZE, device, readOnly: false, runtime: hostRuntime })
  const printed = integrityWord.print(await integrityWord.complete!(line, opened), { showKeys: false }).join(" ")
  // As Linux 6.12.
  expect(printed).toBe(
    "dev 0 16 I 5 journal_sectors:0 interleave_sectors:64 buffer_sectors:128 fix_padding internal_hash:sha512",
  )
})

test("refuses what Linux refuses with inline tags", async () => {
  const { lower } = await formatted()
  const crypt = { name: "x", key: new Uint8Array(16) }
  for (const options of [
    { internalHash: undefined },
    { allowDiscards: true },
    { metadata: lower },
    { journalMac: crypt },
    { journalCrypt: crypt },
    { tagSize: 9 },
    { blockSize: 4096 },
    { mode: "D" },
    { mode: "R" },
  ] satisfies Partial<OpenIntegrityOptions>[]) {
    await expect(openOn(lower, options)).rejects.toMatchObject({ code: "INVALID" })
  }
  const plain = memoryDevice({ size: SIZE })
  await expect(openOn(plain)).rejects.toMatchObject({ code: "INVALID" })
  const format = { tagSize: 4, blockSize: 512, internalHash, mode: "I", wipe: false } as const
  await expect(formatIntegrity({ ...format, lower: plain })).rejects.toMatchObject({ code: "INVALID" })
  await formatIntegrity({ ...format, lower: plain, mode: "D" })
  const tagged = memoryDevice({ size: SIZE, tagSize: 4 })
  await formatIntegrity({ ...format, lower: tagged, mode: "D" })
  await expect(openOn(tagged)).rejects.toMatchObject({ code: "INVALID" })
})
