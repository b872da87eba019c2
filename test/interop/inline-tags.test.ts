import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { BlockError, type Engine, hostRuntime, openVolume, type Runtime } from "blockstrata"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { plaintextOf } from "../plaintext.ts"
import { loadSharedVectors, loadVector, sha256, type Vector } from "../vector.ts"
import { readAll } from "../vector-stack.ts"

const BLOCK_SIZE = 4096
const METADATA_SIZE = 64
/** What the kernel keeps of a sector: `integrity:N:aead`, of which the random IV is the end. */
const STORED_SIZES = new Map([
  ["integrity-inline-aes-gcm", { tagSize: 28, ivSize: 12 }],
  ["integrity-inline-aes-xts-hmac-sha256", { tagSize: 48, ivSize: 16 }],
])
const committed = loadVector("integrity-inline-aes-gcm")
const others = loadSharedVectors().filter(({ name }) => STORED_SIZES.has(name) && name !== committed.name)
const cases = [committed, ...others].flatMap((vector) =>
  [nodeEngine, portableEngine].map((engine) => ({ name: vector.name, engineName: engine.name, vector, engine })),
)

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "blockstrata-inline-"))
})
afterAll(() => rm(folder, { recursive: true }))

interface Opening {
  readonly vector: Vector
  readonly engine: Engine
  readonly operand: string
  readonly readOnly?: boolean
  readonly runtime?: Runtime
}

/** The vector's own line with another operand: nothing stands between it and the host's files. */
async function open({ vector, operand, ...options }: Opening) {
  const table = (vector.stack[0]?.line ?? "").replace("img:disk.img", operand)
  return (await openVolume({ table, ...options })).device
}

const inFolder = (name: string) => join(folder, name)
const inline = (path: string) => `${path},blocksize=${BLOCK_SIZE},tagsize=${METADATA_SIZE}`

function sizesOf(vector: Vector) {
  const sizes = STORED_SIZES.get(vector.name)
  if (sizes === undefined) throw new TypeError(`${vector.name}: what its tags are is not known`)
  return sizes
}

/** Of an image: the metadata of one block, as a view. */
function metadataOf(image: Uint8Array, index: number): Uint8Array {
  const blockCount = image.length / (BLOCK_SIZE + METADATA_SIZE)
  return image.subarray(blockCount * BLOCK_SIZE).subarray(index * METADATA_SIZE, (index + 1) * METADATA_SIZE)
}

/** Randomness that is the stored IVs of an image, block after block. */
function storedIvs({ image, tagSize, ivSize }: { image: Uint8Array; tagSize: number; ivSize: number }): Runtime {
  let index = 0
  const fillRandom = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += ivSize) {
      bytes.set(metadataOf(image, index++).subarray(tagSize - ivSize, tagSize), at)
    }
  }
  return { ...hostRuntime, fillRandom }
}

describe.each(cases)("$name in a file, on the $engineName engine", ({ vector, engine }) => {
  const { manifest } = vector
  const path = () => inFolder(`${vector.name}-${engine.name}`)

  it("reads as in the kernel, and a read-only opening writes nothing", async () => {
    await writeFile(path(), vector.image("disk.img"))
    const device = await open({ vector, engine, operand: inline(path()), readOnly: true })
    expect(device.size).toBe(manifest.expect.provided_bytes)
    expect(sha256(await readAll(device))).toBe(manifest.expect.sha256)
    await device.close()
    expect(sha256(await readFile(path()))).toBe(manifest.images["disk.img"]?.sha256)
  })

  it("fails where the kernel fails, whichever byte of data or tag is damaged", async () => {
    const { reads = [], unit = 0, flip_byte: flipByte = 0 } = manifest.expect.corruption ?? {}
    const { tagSize } = sizesOf(vector)
    const image = vector.image("disk.img")
    const failedIndex = flipByte / BLOCK_SIZE
    const places = [
      image.subarray(flipByte),
      ...[0, tagSize - 1].map((at) => metadataOf(image, failedIndex).subarray(at)),
    ]
    expect(reads).toHaveLength(5)
    for (const place of places) {
      place[0] = (place[0] ?? 0) ^ 0xff
      await writeFile(path(), image)
      const device = await open({ vector, engine, operand: inline(path()), readOnly: true })
      for (const read of reads) {
        const [index, outcome] = read.split(" ")
        const reading = device.read(Number(index) * unit, new Uint8Array(unit))
        if (outcome === "ok") await reading
        else await expect(reading).rejects.toMatchObject({ code: "INTEGRITY", offset: flipByte, length: unit })
      }
      await device.close()
      place[0] = (place[0] ?? 0) ^ 0xff
    }
  })

  it("with the kernel's IVs, the same plaintext gives the kernel's file, metadata and all", async () => {
    const image = vector.image("disk.img")
    await writeFile(path(), new Uint8Array(image.length).fill(0xa5))
    const runtime = storedIvs({ image, ...sizesOf(vector) })
    const device = await open({ vector, engine, operand: inline(path()), runtime })
    await device.write(0, plaintextOf(manifest, device.size))
    await device.close()
    expect(sha256(await readFile(path()))).toBe(manifest.images["disk.img"]?.sha256)
  })

  it("what is written here with fresh IVs is read back, in a file and in memory", async () => {
    await writeFile(path(), new Uint8Array(vector.image("disk.img").length))
    for (const operand of [inline(path()), inline("mem:256k")]) {
      const device = await open({ vector, engine, operand })
      await expect(device.read(0, new Uint8Array(BLOCK_SIZE))).rejects.toMatchObject({ code: "INTEGRITY" })
      const plaintext = plaintextOf(manifest, device.size)
      await device.write(0, plaintext)
      expect(sha256(await readAll(device))).toBe(sha256(plaintext))
      await device.close()
    }
    expect(sha256(await readFile(path()))).not.toBe(manifest.images["disk.img"]?.sha256)
  })

  it("is refused where the operand does not say what the device carries", async () => {
    await writeFile(path(), vector.image("disk.img"))
    const { tagSize } = sizesOf(vector)
    for (const options of ["", `,blocksize=4096,tagsize=${tagSize - 1}`, ",blocksize=512,tagsize=64", ",tagsize=64"]) {
      const refused = open({ vector, engine, operand: path() + options, readOnly: true })
      await expect(refused).rejects.toBeInstanceOf(BlockError)
      await expect(refused).rejects.toMatchObject({ code: "INVALID" })
    }
  })
})

it("a file read with a tag size that is not its own is noticed at every block", async () => {
  await writeFile(inFolder("other"), committed.image("disk.img"))
  const operand = `${inFolder("other")},blocksize=4096,tagsize=56`
  const device = await open({ vector: committed, engine: nodeEngine, operand, readOnly: true })
  for (let at = BLOCK_SIZE; at < device.size; at += BLOCK_SIZE) {
    await expect(device.read(at, new Uint8Array(BLOCK_SIZE))).rejects.toMatchObject({ code: "INTEGRITY", offset: at })
  }
  await device.close()
})
