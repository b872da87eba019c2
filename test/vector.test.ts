import { expect, test } from "vitest"
import { plaintextOf } from "./plaintext.ts"
import { listVectors, loadVector, sha256 } from "./vector.ts"

test.each(listVectors())("%s: the images are what the manifest says", (name) => {
  const { manifest, image, stack } = loadVector(name)
  for (const imageName of Object.keys(manifest.images)) {
    expect(image(imageName).length).toBe(manifest.images[imageName]?.size)
  }
  expect(stack.length).toBeGreaterThan(0)
  expect(stack.every((line) => line.operands.length > 0)).toBe(true)
})

test.each(listVectors().filter((name) => /^(crypt|verity)-/.test(name)))(
  "%s: the plaintext is the recorded one",
  (name) => {
    const { manifest, stack } = loadVector(name)
    const sizeBytes = Number(stack.at(-1)?.line.split(" ")[1]) * 512
    expect(sha256(plaintextOf(manifest, sizeBytes))).toBe(manifest.expect.sha256)
  },
)

test("operands name images and lower devices", () => {
  const { stack } = loadVector("crypt-integrity-aes-gcm-random")
  expect(stack.map((line) => line.operands)).toEqual([
    [{ word: "img:disk.img", image: "disk.img" }],
    [{ word: "i", lower: "i" }],
  ])
})

test("a missing image is named", () => {
  expect(() => loadVector("verity-sha256").image("fec.img")).toThrow("no image fec.img")
})
