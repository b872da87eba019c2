import { createMedia, type Media } from "@blockstrata/testkit"
import { BlockError, openVolume } from "blockstrata"
import { describe, expect, it } from "vitest"
import { loadVector } from "../vector.ts"
import { bitmapWords, imagesOf, openVectorStack, readAll, type VectorStackOptions } from "../vector-stack.ts"

/** What `docs/guarantees.md` says beside the matrix. */

const BLOCK_SIZE = 512

describe("an HMAC volume that Linux wrote in bitmap mode, its superblock's flag for a dirty bitmap set without the key", () => {
  const vector = loadVector("integrity-hmac-sha256-bitmap")
  const FLAGS_OFFSET = 24
  const BITMAP_OFFSET = 4096
  const DIRTY_BITMAP = 4
  const { flip_byte: flippedByte = 0 } = vector.manifest.expect.corruption ?? {}

  function forged(flags: number): Map<string, Uint8Array> {
    const images = imagesOf(vector)
    const image = images.get("disk.img")!
    image[FLAGS_OFFSET] = image[FLAGS_OFFSET]! | flags
    if (flags === DIRTY_BITMAP) image.fill(0xff, BITMAP_OFFSET, BITMAP_OFFSET + 4096)
    image[flippedByte] = image[flippedByte]! ^ 0xff
    return images
  }
  const open = async (mode: string, flags: number, words: VectorStackOptions["words"] = []) => {
    const edit = (line: string) => line.replace(" B ", ` ${mode} `)
    return (await openVectorStack(vector, { images: forged(flags), words, edit })).device
  }

  it.each(["J", "B", "D"])("is refused in mode %s, naming what would allow it", async (mode) => {
    await expect(open(mode, DIRTY_BITMAP)).rejects.toMatchObject({
      code: "REFUSED",
      message: expect.stringContaining("allowUnauthenticatedRecovery"),
    })
  })

  it("is refused in mode B even without the flag: a crash would set it", async () => {
    await expect(open("B", 0)).rejects.toMatchObject({ code: "REFUSED", message: expect.stringContaining("mode B") })
  })

  it.each(["J", "B", "D"])("allowed by name, mode %s takes whatever stands in marked regions", async (mode) => {
    const [device, original] = [
      await open(mode, DIRTY_BITMAP, bitmapWords),
      await openVectorStack(vector, { words: bitmapWords }),
    ]
    const [changed, good] = [await readAll(device), await readAll(original.device)]
    expect([...changed.keys()].filter((index) => changed[index] !== good[index])).toHaveLength(1)
  })

  it("without the flag opens, and finds the changed block", async () => {
    for (const device of [await open("D", 0), await open("B", 0, bitmapWords)]) {
      await expect(readAll(device)).rejects.toMatchObject({ code: "INTEGRITY", length: BLOCK_SIZE })
      await device.close()
    }
  })

  it("reads in mode R, which checks nothing, with the changed byte in it", async () => {
    const device = await open("R", DIRTY_BITMAP)
    const original = await openVectorStack(vector, { words: bitmapWords })
    const [changed, good] = [await readAll(device), await readAll(original.device)]
    expect([...changed.keys()].filter((index) => changed[index] !== good[index])).toHaveLength(1)
    await device.close()
    await original.device.close()
  })
})

describe("a crash between a block and its tag, in mode D", () => {
  const BLOCKS = 16
  const line = `0 ${BLOCKS} integrity disk 0 32 D 4 internal_hash:sha256 fix_padding fix_hmac interleave_sectors:8`
  const open = async (media: Media) => {
    const openFile = async () => media.medium("disk", { size: 256 * 1024 })
    return (await openVolume({ table: line, openFile })).device
  }

  it.each(["data", "tag"])(
    "with only the %s on the medium: that block is an error, the others are right",
    async (left) => {
      const media = createMedia()
      const device = await open(media)
      const content = Uint8Array.from({ length: BLOCKS * BLOCK_SIZE }, (_, index) => index % 251)
      await device.write(0, content)
      await device.flush()
      await device.write(5 * BLOCK_SIZE, new Uint8Array(BLOCK_SIZE).fill(7))
      // The power fails in the flush, when the tag has followed.
      media.intercept = ({ kind }) => {
        if (kind === "flush") throw new BlockError("IO", "the power fails")
      }
      await expect(device.flush()).rejects.toThrow(BlockError)
      media.intercept = undefined
      // The block is the later one: an area begins with its tags.
      const offsets = (media.byName.get("disk")?.pending() ?? []).map(({ offset }) => offset).sort((a, b) => a - b)
      expect(offsets).toHaveLength(2)
      media.crash(({ offset }) => (offset === offsets[left === "tag" ? 0 : 1] ? "whole" : "absent"))
      const after = await open(media)
      await expect(readAll(after)).rejects.toMatchObject({
        code: "INTEGRITY",
        offset: 5 * BLOCK_SIZE,
        length: BLOCK_SIZE,
      })
      const rest = new Uint8Array(10 * BLOCK_SIZE)
      await after.read(6 * BLOCK_SIZE, rest)
      expect(rest).toEqual(content.subarray(6 * BLOCK_SIZE))
      await after.write(5 * BLOCK_SIZE, content.subarray(0, BLOCK_SIZE))
      await readAll(after)
      await after.close()
      await device.close().catch((error: unknown) => expect(error).toBeInstanceOf(BlockError))
    },
  )
})

it("a line that wants a part of a GCM tag is refused by name", async () => {
  // 12 bytes of IV, 4 of tag: Linux takes it.
  const table = `i,,,rw,0 8 integrity mem:256k 0 16 D 1 interleave_sectors:8;
    x,,,rw,0 8 crypt capi:gcm(aes)-random ${"5a".repeat(32)} 0 i 0 1 integrity:16:aead`
  await expect(openVolume({ table })).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("so short a tag"),
  })
})
