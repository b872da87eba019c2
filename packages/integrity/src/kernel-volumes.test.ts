import { type BlockDevice, hostRuntime, memoryDevice, type TableContext } from "@blockstrata/device"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { describe, expect, it, test } from "vitest"
import { plaintextOf } from "../../../test/plaintext.ts"
import { listVectors, loadSharedVectors, loadVector, sha256, type Vector } from "../../../test/vector.ts"
import { formatIntegrity } from "./format-integrity.ts"
import { inspectIntegrity, printSuperblock, readIntegritySuperblock } from "./inspect-integrity.ts"
import { integrityWord } from "./integrity-word.ts"
import { internalHashNamed } from "./internal-hash.ts"
import { layoutOf } from "./layout.ts"
import { type JournalAlgorithm, openIntegrity } from "./open-integrity.ts"
import { completeIntegrityLine } from "./print-line.ts"
import { encodeSuperblock, type IntegritySuperblock } from "./superblock.ts"
import type { IntegrityLine } from "./table-line.ts"

const CLEAN = [
  "blake2b-256",
  "crc32",
  "crc32c-direct",
  "crc32c-journal",
  "crc32c-journal-small",
  "discard",
  "hmac-sha256-journal",
  "hmac-sha512-4k",
  "interleave",
  "journal-crypt-cbc",
  "journal-crypt-ctr",
  "journal-crypt-mac-hmac",
  "journal-mac",
  "legacy-hmac",
  "legacy-padding",
  "separate-meta",
  "sha1",
  "sha256-4k",
  "sha256-tag16",
  "xxhash64",
].map((name) => `integrity-${name}`)
const shared = loadSharedVectors()
/** Those with inline tags are opened in `inline-store.test.ts`. */
const vectors: readonly Vector[] = (shared.length > 0 ? shared : listVectors().map(loadVector)).filter(({ name }) =>
  /^integrity-(?!inline)/.test(name),
)

interface Opened {
  readonly args: string[]
  readonly size: number
  /** By operand: of the data first, then of the metadata where they lie apart. */
  readonly images: ReadonlyMap<string, Uint8Array>
}

function lineOf(vector: Vector): Opened {
  const { line, operands } = vector.stack[0]!
  const [, sectors, , ...args] = line.split(" ")
  const images = operands.map(
    (operand) => [operand.word, vector.image("image" in operand ? operand.image : "")] as const,
  )
  return { args, size: Number(sectors) * 512, images: new Map(images) }
}

/** Copies of the images, to be written. */
function copyOf(images: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  return new Map([...images].map(([word, bytes]) => [word, new Uint8Array(bytes)]))
}

function context(size: number, images: ReadonlyMap<string, Uint8Array>, readOnly: boolean): TableContext {
  const device = (operand: string) => memoryDevice({ bytes: images.get(operand)!, readOnly })
  return { size, device, readOnly, runtime: hostRuntime }
}

function keyOf(line: IntegrityLine): Uint8Array {
  return Uint8Array.from(Buffer.from(line.internalHash?.keyHex ?? "", "hex"))
}

describe.each(CLEAN)("%s", (name) => {
  const vector = vectors.find((candidate) => candidate.name === name)!
  const { args, size, images } = lineOf(vector)
  const line = integrityWord.parse(args, size)
  const [data, metadata = data] = [...images.values()] as [Uint8Array, Uint8Array?]

  it.each([nodeEngine, portableEngine])("reads as the kernel did, engine $name", async (engine) => {
    const device = await integrityWord.open(line, { ...context(size, images, true), engine })
    const plaintext = new Uint8Array(size)
    await device.read(0, plaintext)
    expect(sha256(plaintext)).toBe(vector.manifest.expect.sha256)
    await device.close()
  })

  it("prints what dmsetup printed and dumps what integritysetup dumped", async () => {
    const superblock = await readIntegritySuperblock(memoryDevice({ bytes: metadata }))
    const complete = completeIntegrityLine(line, superblock, metadata.length)
    const printed = integrityWord.print(complete, { showKeys: true })
    const withoutDevices = (words: readonly string[]) =>
      words.slice(1).map((word) => word.replace(/^meta_device:.*/, "meta_device"))
    const table = vector.manifest.outputs["table"]!.split(" ").slice(3)
    expect(withoutDevices(printed)).toEqual(withoutDevices(table))
    const dump = vector.manifest.outputs["dump"]
    if (dump !== undefined) expect(printSuperblock(superblock)).toEqual(dump.split("\n").slice(1))
    const hidden = integrityWord.print(line, { showKeys: false }).join(" ")
    if (line.internalHash?.keyHex !== undefined) expect(hidden).not.toContain(line.internalHash.keyHex)
  })

  it("the same format and the same plaintext give the kernel's superblock, tags and data", async () => {
    const theirs = await readIntegritySuperblock(memoryDevice({ bytes: metadata }))
    const ours = new Uint8Array(metadata.length)
    const ourData = metadata === data ? ours : new Uint8Array(data.length)
    const lower = memoryDevice({ bytes: ourData })
    const media = metadata === data ? { lower } : { lower, metadata: memoryDevice({ bytes: ours }) }
    await writeSame(media, theirs, line, plaintextOf(vector.manifest, size), name.endsWith("discard"))
    const { firstAreaOffset, tagRunBytes } = layoutOf(theirs, metadata.length, 0, data.length)
    expect(Buffer.compare(ours.subarray(0, 4096), metadata.subarray(0, 4096))).toBe(0)
    if (metadata === data)
      expect(Buffer.compare(ours.subarray(firstAreaOffset), data.subarray(firstAreaOffset))).toBe(0)
    else {
      const tagsOf = (image: Uint8Array) => image.subarray(firstAreaOffset, firstAreaOffset + tagRunBytes)
      expect(Buffer.compare(tagsOf(ours), tagsOf(metadata))).toBe(0)
      expect(Buffer.compare(ourData, data)).toBe(0)
    }
    // Mode D never touches the journal: the kernel's volume in that mode still has the one of its format.
    if (line.mode === "D") expect(Buffer.compare(ours, metadata)).toBe(0)
  })

  it("finds the kernel's bad block, and only that", async () => {
    const corruption = vector.manifest.expect.corruption
    if (corruption?.unit === undefined) return
    const { unit } = corruption
    const damaged = copyOf(images)
    damaged.get(`img:${corruption.image}`)![corruption.flip_byte!]! ^= 0xff
    const device = await integrityWord.open(line, context(size, damaged, true))
    for (const read of corruption.reads) {
      const [block, outcome] = read.split(" ")
      const reading = device.read(Number(block) * unit, new Uint8Array(unit))
      if (outcome === "ok") await reading
      else
        await expect(reading).rejects.toMatchObject({ code: "INTEGRITY", offset: Number(block) * unit, length: unit })
    }
  })
})

function algorithmOf(algorithm: IntegrityLine["journalMac"]): JournalAlgorithm | undefined {
  return algorithm && { name: algorithm.name, key: Uint8Array.from(Buffer.from(algorithm.keyHex ?? "", "hex")) }
}

async function writeSame(
  media: { readonly lower: BlockDevice; readonly metadata?: BlockDevice },
  theirs: IntegritySuperblock,
  line: IntegrityLine,
  plaintext: Uint8Array,
  hasDiscard: boolean,
): Promise<void> {
  const internalHash = internalHashNamed(line.internalHash!.name, keyOf(line))
  const { tagSize, blockSize, interleaveSectors, salt } = theirs
  const journalSectors = line.journalSectors!
  const legacy = { legacyPadding: !theirs.hasFixedPadding, legacyHmac: !theirs.hasFixedHmac }
  const protection = { journalMac: algorithmOf(line.journalMac), journalCrypt: algorithmOf(line.journalCrypt) }
  const options = { tagSize, blockSize, interleaveSectors, journalSectors, ...legacy, ...protection, internalHash }
  const given = theirs.hasFixedHmac ? { salt } : {}
  expect(await formatIntegrity({ ...options, ...given, ...media, wipe: true })).toEqual(theirs)
  const size = plaintext.length
  const { mode } = line
  const device = await openIntegrity({ ...media, ...protection, size, mode, internalHash, allowDiscards: hasDiscard })
  await device.write(0, plaintext)
  if (hasDiscard) await device.discard(65536, 16384)
  await device.close()
}

test.each(vectors.filter(({ stack }) => stack.length > 0))(
  "$name: the recorded size follows from the image",
  async (vector) => {
    const lower = memoryDevice({ bytes: vector.image("disk.img") })
    const { superblock, layout } = await inspectIntegrity(lower)
    const provided = layout?.providedBytes ?? superblock.providedSectors * 512
    expect(provided).toBe(vector.manifest.expect.provided_bytes)
    if (layout !== undefined) expect(layout.possibleBytes).toBe(provided)
    expect(encodeSuperblock(superblock).subarray(0, 64)).toEqual(vector.image("disk.img").subarray(0, 64))
  },
)

/** `recovery.test.ts`, `dirty-bitmap.test.ts`, `bitmap-store.test.ts` and `recalculation.test.ts` open them. */
const ELSEWHERE = /^integrity-(dirty|recalculate|crc32c-bitmap-4k|hmac-sha256-bitmap|separate-meta-bitmap)/
const refused = vectors.filter(({ name }) => !CLEAN.includes(name) && !ELSEWHERE.test(name))

test.each(refused.filter(({ stack }) => stack[0]?.line.includes(" integrity ")))(
  "$name is refused by name",
  async (vector) => {
    const { args, size, images } = lineOf(vector)
    const words = /journal_mac|journal_crypt|meta_device|inline|internal_hash|journal/
    const open = async (readOnly: boolean) => {
      const line = integrityWord.parse(args, size)
      return await integrityWord.open(line, context(size, images, readOnly))
    }
    const before = [...images.values()].map(sha256)
    await expect(open(false)).rejects.toMatchObject({ code: "UNSUPPORTED", message: expect.stringMatching(words) })
    await expect(open(true)).rejects.toMatchObject({ code: "UNSUPPORTED", message: expect.stringMatching(words) })
    expect([...images.values()].map(sha256)).toEqual(before)
  },
)
