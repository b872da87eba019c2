import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { decodeHex, formatVerity, memoryDevice } from "blockstrata"
import { describe, expect, it } from "vitest"
import { plaintextOf } from "../plaintext.ts"
import { loadVector, sha256, type Vector } from "../vector.ts"
import { bitmapWords, imagesOf, openVectorStack, readAll } from "../vector-stack.ts"
import { bitmapVectors, coveredVectors } from "./covered-vectors.ts"

const engines = [nodeEngine, portableEngine]
const volumes = coveredVectors.map(loadVector)
const isRandom = (vector: Vector) => vector.stack.some(({ line }) => line.includes("-random"))
const plainCrypt = volumes.filter(({ manifest }) => manifest.kind === "dm-crypt")
const taggedCrypt = volumes.filter((vector) => vector.manifest.kind === "dm-crypt+dm-integrity" && !isRandom(vector))
const verity = volumes.filter(({ manifest }) => manifest.kind === "dm-verity")
const bitmaps = bitmapVectors.map(loadVector)
const named = (vectors: readonly Vector[]) => vectors.map((vector) => [vector.name, vector] as const)

function expectSameImages(vector: Vector, images: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of images) expect(sha256(bytes), name).toBe(vector.manifest.images[name]?.sha256)
}

describe.each(engines)("the same plaintext gives the kernel's bytes, on the $name engine", (engine) => {
  it.each(named(plainCrypt))("%s", async (_name, vector) => {
    const images = imagesOf(vector)
    const { device } = await openVectorStack(vector, { engine, images, readOnly: false })
    const plaintext = plaintextOf(vector.manifest, device.size)
    await device.writeZeroes(0, device.size)
    await device.write(0, plaintext)
    await device.close()
    expectSameImages(vector, images)
  })

  it.each(named(taggedCrypt))("%s: ciphertext, tags and all, through mode D", async (_name, vector) => {
    const images = imagesOf(vector)
    const edit = (line: string) => line.replace(/( integrity \S+ \d+ \d+) J /, "$1 D ")
    const { device } = await openVectorStack(vector, { engine, images, edit, readOnly: false })
    await device.write(0, new Uint8Array(device.size).fill(0xa5))
    await device.write(0, plaintextOf(vector.manifest, device.size))
    await device.close()
    expectSameImages(vector, images)
  })

  it.each(named(bitmaps))("%s: tags, superblock and journal, through mode B", async (_name, vector) => {
    const images = imagesOf(vector)
    const { device } = await openVectorStack(vector, { engine, images, words: bitmapWords, readOnly: false })
    await device.write(0, new Uint8Array(device.size).fill(0xa5))
    await device.write(0, plaintextOf(vector.manifest, device.size))
    await device.close()
    expectSameImages(vector, images)
  })

  it.each(named(verity))("%s: the hash device", async (_name, vector) => {
    const { manifest } = vector
    const { params } = manifest
    if (params === undefined) throw new TypeError("a verity vector without parameters")
    const images = imagesOf(vector)
    const dataBytes = images.get("data.img") ?? new Uint8Array(0)
    // What the kernel's tool wrote goes first: only what is written here may come back.
    const isSameDevice = !images.has("hash.img")
    const hashBytes = images.get("hash.img") ?? dataBytes
    hashBytes.fill(0, isSameDevice ? params.hash_offset : 0)
    const data = memoryDevice({ bytes: dataBytes })
    const hash = isSameDevice ? data : memoryDevice({ bytes: hashBytes })
    const { rootHash } = await formatVerity({
      data,
      hash,
      hashOffset: params.hash_offset,
      dataBlockSize: params.data_block_size,
      hashBlockSize: params.hash_block_size,
      dataBlockCount: params.data_blocks,
      version: params.hash_type === 0 ? 0 : 1,
      algorithm: "sha256",
      salt: decodeHex(params.salt === "-" ? "" : params.salt) ?? new Uint8Array(0),
      uuid: manifest.uuid,
      superblock: params.superblock,
      engine,
    })
    expect(Buffer.from(rootHash).toString("hex")).toBe(manifest.expect.root_hash)
    expectSameImages(vector, images)
  })
})

it("every covered kind is written back", async () => {
  expect([plainCrypt.length, taggedCrypt.length, verity.length]).toEqual([26, 3, 7])
  const [first] = plainCrypt
  if (first === undefined) throw new TypeError("no dm-crypt vector")
  const { device } = await openVectorStack(first)
  expect(sha256(await readAll(device))).toBe(sha256(plaintextOf(first.manifest, device.size)))
})
