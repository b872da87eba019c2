import { type BlockDevice, hostRuntime, memoryDevice, share } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { describe, expect, it } from "vitest"
import { loadVector, sha256, type Vector } from "../../../test/vector.ts"
import { readIntegritySuperblock } from "./inspect-integrity.ts"
import { integrityWordWith } from "./integrity-word.ts"

const word = integrityWordWith({ allowUnauthenticatedRecovery: true })

interface Opening {
  readonly lower: BlockDevice
  readonly mode?: string
  readonly readOnly?: boolean
  readonly engine?: Engine
  readonly options?: string
}

/** The volume of a vector as its line says, but for the mode. */
async function open(vector: Vector, { lower, mode = "B", readOnly = false, engine, options = "" }: Opening) {
  const { line } = vector.stack[0]!
  const [, sectors, , ...args] = line.split(" ")
  const words = [...args.slice(5), ...options.split(" ").filter((option) => option !== "")]
  const size = Number(sectors) * 512
  const parsed = word.parse([args[0]!, args[1]!, args[2]!, mode, `${words.length}`, ...words], size)
  const context = { size, device: () => share(lower), readOnly, runtime: hostRuntime, engine }
  return await word.open(parsed, context)
}

async function contentOf(device: BlockDevice): Promise<string> {
  const content = new Uint8Array(device.size)
  await device.read(0, content)
  return sha256(content)
}

describe.each(["integrity-dirty-bitmap", "integrity-dirty-bitmap-hmac-4k"].map(loadVector))("$name", (vector) => {
  const { sha256_after_recovery: plaintext, recovered_image_sha256: recovered } = vector.manifest.expect

  it.each([nodeEngine, portableEngine])("is recovered to the kernel's bytes, engine $name", async (engine) => {
    const bytes = vector.image("disk.img")
    const device = await open(vector, { lower: memoryDevice({ bytes }), engine })
    expect(await contentOf(device)).toBe(plaintext)
    await device.close()
    expect(sha256(bytes)).toBe(recovered)
  })

  it("opened in mode D it is recovered to the same bytes, and is no longer dirty while open", async () => {
    const bytes = vector.image("disk.img")
    const lower = memoryDevice({ bytes })
    const device = await open(vector, { lower, mode: "D" })
    expect(sha256(bytes)).toBe(recovered)
    expect(await contentOf(device)).toBe(plaintext)
    await device.close()
    expect(sha256(bytes)).toBe(recovered)
  })

  it.each(["B", "D"])("in mode %s tags are durable before anything says that they are there", async (mode) => {
    const lower = memoryDevice({ bytes: vector.image("disk.img") })
    const log: string[] = []
    const told: BlockDevice = {
      ...lower,
      async write(offset, data, options) {
        await lower.write(offset, data, options)
        log.push(offset < 4096 ? "superblock" : offset < 4096 + 88 * 512 ? "bitmap" : "tags")
      },
      async flush() {
        await lower.flush()
        log.push("flush")
      },
    }
    await open(vector, { lower: told, mode })
    const order = log.filter((kind, index) => kind !== log[index - 1])
    expect(order).toEqual(
      mode === "B" ? ["tags", "flush", "superblock", "bitmap"] : ["tags", "flush", "bitmap", "flush", "superblock"],
    )
  })

  it.each(["B", "D", "J"])("read-only in mode %s it shows the same, and writes nothing", async (mode) => {
    const bytes = vector.image("disk.img")
    const before = sha256(bytes)
    const device = await open(vector, { lower: memoryDevice({ bytes }), mode, readOnly: true })
    expect(await contentOf(device)).toBe(plaintext)
    await device.close()
    expect(sha256(bytes)).toBe(before)
    const bare = await open(vector, { lower: memoryDevice({ bytes, readOnly: true }), mode: "B" })
    expect(await contentOf(bare)).toBe(plaintext)
  })

  it("another number of sectors per bit finds the same regions", async () => {
    const bytes = vector.image("disk.img")
    const lower = memoryDevice({ bytes })
    const device = await open(vector, { lower, options: "sectors_per_bit:256" })
    expect(await contentOf(device)).toBe(plaintext)
    const { bitmapBitBlocksLog2, blockSize } = await readIntegritySuperblock(lower)
    expect(2 ** bitmapBitBlocksLog2 * blockSize).toBe(256 * 512)
    await device.close()
    await (await open(vector, { lower: memoryDevice({ bytes }) })).close()
    expect(sha256(bytes)).toBe(recovered)
  })
})
