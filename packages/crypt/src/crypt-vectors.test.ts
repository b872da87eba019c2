import { createCipheriv, createDecipheriv } from "node:crypto"
import { type BlockDevice, hostRuntime, memoryDevice } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { describe, expect, test } from "vitest"
import { plaintextOf } from "../../../test/plaintext.ts"
import { listVectors, loadVector, sha256 } from "../../../test/vector.ts"
import type { BlockCipherFactory } from "./crypt-parts.ts"
import { cryptWordWith } from "./table-line.ts"

/** A block cipher that no engine has, brought along by the caller: OpenSSL's. */
const CAMELLIA: BlockCipherFactory = {
  keySizes: [16, 24, 32],
  create(key) {
    const name = `camellia-${key.length * 8}-ecb`
    const cipher = createCipheriv(name, key, null).setAutoPadding(false)
    const decipher = createDecipheriv(name, key, null).setAutoPadding(false)
    return {
      blockSize: 16,
      encryptBlocks: (source, target) => target.set(cipher.update(source)),
      decryptBlocks: (source, target) => target.set(decipher.update(source)),
      destroy() {},
    }
  },
}
const WORD = cryptWordWith({ blockCiphers: new Map([["camellia", CAMELLIA]]) })
const ENGINES = [nodeEngine, portableEngine]
const TAGLESS = listVectors().filter((name) => /^crypt-(?!integrity)/.test(name))
const TAGGED = listVectors().filter((name) => name.startsWith("crypt-integrity-"))

async function openLine(line: string, lower: BlockDevice, engine: Engine): Promise<BlockDevice> {
  const [, length, , ...args] = line.split(" ")
  const size = Number(length) * 512
  const context = { size, device: () => lower, readOnly: false, runtime: hostRuntime, engine }
  return await WORD.open(WORD.parse(args, size), context)
}

async function readAll(device: BlockDevice): Promise<Uint8Array> {
  const bytes = new Uint8Array(device.size)
  await device.read(0, bytes)
  return bytes
}

/** The data and the tags that a cleanly closed dm-integrity volume keeps. */
function tagStore(image: Uint8Array): { bytes: Uint8Array; tagBytes: Uint8Array; tagSize: number; blockSize: number } {
  const view = new DataView(image.buffer)
  const interleave = 2 ** view.getUint8(9)
  const tagSize = view.getUint16(10, true)
  const size = Number(view.getBigUint64(16, true)) * 512
  const blockSectors = 2 ** view.getUint8(28)
  const entrySize = Math.ceil((8 + 8 * blockSectors + tagSize) / 8) * 8
  const sectionEntries = Math.floor(504 / entrySize) * 8
  const areaStart = (8 + (sectionEntries * blockSectors + 8) * view.getUint32(12, true)) * 512
  const padding = (view.getUint32(24, true) & 8) === 0 ? 131072 : 4096
  const tagRun = Math.ceil((tagSize * (interleave / blockSectors)) / padding) * padding
  const bytes = new Uint8Array(size)
  const tagBytes = new Uint8Array((size / (blockSectors * 512)) * tagSize)
  for (let at = 0, start = areaStart; at < size; at += interleave * 512, start += tagRun + interleave * 512) {
    const data = image.subarray(start + tagRun, start + tagRun + Math.min(interleave * 512, size - at))
    bytes.set(data, at)
    const tags = (data.length / (blockSectors * 512)) * tagSize
    tagBytes.set(image.subarray(start, start + tags), (at / (blockSectors * 512)) * tagSize)
  }
  return { bytes, tagBytes, tagSize, blockSize: blockSectors * 512 }
}

/** Nothing random is stored: the same plaintext gives the same medium. */
const REPEATABLE = TAGGED.filter((name) => !name.includes("random"))

test("all lines without tags and with tags are there", () => {
  expect(TAGLESS.length).toBe(27)
  expect(TAGGED.length).toBe(8)
  expect(REPEATABLE.length).toBe(3)
})

describe.each(ENGINES)("on $name", (engine) => {
  test.each(TAGLESS)("%s: what the kernel wrote is read", async (name) => {
    const { manifest, stack, image } = loadVector(name)
    const device = await openLine(stack[0]?.line ?? "", memoryDevice({ bytes: image("disk.img") }), engine)
    expect(sha256(await readAll(device))).toBe(manifest.expect.sha256)
  })

  test.each(TAGLESS)("%s: the same plaintext gives the kernel's bytes", async (name) => {
    const { manifest, stack, image } = loadVector(name)
    const expected = image("disk.img")
    const bytes = new Uint8Array(expected.length)
    const line = stack[0]?.line ?? ""
    const device = await openLine(line, memoryDevice({ bytes }), engine)
    await device.write(0, plaintextOf(manifest, device.size))
    const start = Number(line.split(" ")[7]) * 512
    expect(sha256(bytes.subarray(start, start + device.size))).toBe(
      sha256(expected.subarray(start, start + device.size)),
    )
  })

  test.each(TAGGED)("%s: what the kernel wrote is read", async (name) => {
    const { manifest, stack, image } = loadVector(name)
    const device = await openLine(stack[1]?.line ?? "", memoryDevice(tagStore(image("disk.img"))), engine)
    expect(sha256(await readAll(device))).toBe(manifest.expect.sha256)
  })

  test.each(REPEATABLE)("%s: ciphertext and tags are the kernel's too", async (name) => {
    const { manifest, stack, image } = loadVector(name)
    const expected = tagStore(image("disk.img"))
    const bytes = new Uint8Array(expected.bytes.length)
    const tagBytes = new Uint8Array(expected.tagBytes.length)
    const device = await openLine(stack[1]?.line ?? "", memoryDevice({ ...expected, bytes, tagBytes }), engine)
    await device.write(0, plaintextOf(manifest, device.size))
    expect(sha256(bytes)).toBe(sha256(expected.bytes))
    expect(sha256(tagBytes)).toBe(sha256(expected.tagBytes))
  })

  test("inline metadata with room to spare, written by a newer kernel", async () => {
    const { manifest, stack, image } = loadVector("integrity-inline-aes-gcm")
    const bytes = image("disk.img")
    const size = 64 * 4096
    const open = () =>
      openLine(
        stack[0]?.line ?? "",
        memoryDevice({ bytes: bytes.subarray(0, size), tagBytes: bytes.subarray(size), tagSize: 64, blockSize: 4096 }),
        engine,
      )
    const device = await open()
    const plaintext = await readAll(device)
    expect(sha256(plaintext)).toBe(manifest.expect.sha256)
    bytes.fill(0xee, size)
    await device.write(0, plaintext)
    expect([...bytes.subarray(size + 28, size + 64)]).toEqual(Array(36).fill(0))
    expect(sha256(await readAll(await open()))).toBe(manifest.expect.sha256)
    bytes[manifest.expect.corruption?.flip_byte ?? 0] = (bytes[manifest.expect.corruption?.flip_byte ?? 0] ?? 0) ^ 0xff
    await expect(readAll(await open())).rejects.toMatchObject({ code: "INTEGRITY", offset: 18 * 4096, length: 4096 })
  })
})
