import { type BlockDevice, memoryDevice, share, type TableContext } from "@blockstrata/device"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { seededRuntime } from "@blockstrata/testkit"
import { describe, expect, it } from "vitest"
import { listVectors, loadSharedVectors, loadVector, sha256, type Vector } from "../../../test/vector.ts"
import { integrityWord } from "./integrity-word.ts"

/** Volumes that Linux left with entries in their journals, and the same after Linux recovered them. */
const shared = loadSharedVectors()
const vectors: readonly Vector[] = (shared.length > 0 ? shared : listVectors().map(loadVector)).filter(({ name }) =>
  name.startsWith("integrity-dirty-journal"),
)

function open(vector: Vector, lower: BlockDevice, engine: typeof nodeEngine, mode: string, readOnly: boolean) {
  const [, sectors, , ...words] = vector.stack[0]!.line.split(" ")
  const args = words.map((word) => (word.startsWith("img:") ? "img" : word)).map((word) => (word === "J" ? mode : word))
  const size = Number(sectors) * 512
  const context: TableContext = { size, device: () => share(lower), readOnly, runtime: seededRuntime(1) }
  return integrityWord.open(integrityWord.parse(args, size), { ...context, engine })
}

const contentOf = async (device: BlockDevice) => {
  const content = new Uint8Array(device.size)
  await device.read(0, content)
  return content
}

describe.each([nodeEngine, portableEngine])("a journal that Linux left, on the $name engine", (engine) => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))("%s", async (_name, vector) => {
    const { sha256_after_recovery: content, recovered_image_sha256: recovered } = vector.manifest.expect
    const image = vector.image("disk.img")
    const before = sha256(image)

    const readOnly = await open(vector, memoryDevice({ bytes: image, readOnly: true }), engine, "J", true)
    expect(sha256(await contentOf(readOnly))).toBe(content)
    await readOnly.close()
    expect(sha256(image)).toBe(before)

    const writable = await open(vector, memoryDevice({ bytes: image }), engine, "J", false)
    expect(sha256(await contentOf(writable))).toBe(content)
    await writable.close()
    expect(sha256(image)).toBe(recovered)

    const again = await open(vector, memoryDevice({ bytes: image }), engine, "D", false)
    expect(sha256(await contentOf(again))).toBe(content)
    await again.close()
  })
})

it("there are such volumes", () => expect(vectors.length).toBeGreaterThanOrEqual(2))
