import { beforeAll, describe, expect, test } from "vitest"
import { loadVector, sha256 } from "../vector.ts"
import { type BareBundle, bundleBare, runBare } from "./bare-bundle.ts"
import type * as OpenImage from "./open-image.ts"

describe("a bundle of the packages in a context that has nothing but JavaScript", () => {
  let bundle: BareBundle
  beforeAll(async () => {
    bundle = await bundleBare("open-image.ts")
  })

  const runImage = (): typeof OpenImage => runBare(bundle) as typeof OpenImage
  const { manifest, stack, image } = loadVector("crypt-integrity-aes-gcm-random")
  const table = stack.map(({ name, line }) => `${name},,,ro,${line.replace("img:", "")}`).join(";")

  test("it imports nothing", () => {
    expect(bundle.imports).toEqual([])
    expect(bundle.code).not.toMatch(/\brequire\(|["']node:/)
  })

  test("the engine is the portable one", () => {
    expect(runImage().engineName).toBe("portable")
  })

  test("AEAD over integrity, written by the kernel, opens through its table lines", async () => {
    const { readVolume } = runImage()
    const plaintext = await readVolume(table, image("disk.img"))
    expect(sha256(Uint8Array.from(plaintext))).toBe(manifest.expect.sha256)
  })

  test("a flipped bit is found", async () => {
    const { readVolume } = runImage()
    const damaged = image("disk.img")
    const last = damaged.length - 4096
    damaged[last] = (damaged[last] ?? 0) ^ 1
    await expect(readVolume(table, damaged)).rejects.toMatchObject({ code: "INTEGRITY" })
  })

  const foreign = ["process", "Buffer", "require", "crypto", "TextEncoder", "setTimeout", "fetch"]
  test.each(foreign)("there is no %s", (name) => {
    expect(runBare({ code: `var bare = typeof ${name}`, imports: [] })).toBe("undefined")
  })
})
