import { expect, it } from "vitest"
import { createMedia } from "../media/media.ts"
import { changedParts } from "./changed-parts.ts"

it("names the parts that differ, of data and tags, on every medium", async () => {
  const media = createMedia()
  const [plain, tagged] = [
    media.medium("plain", { size: 2 ** 40 }),
    media.medium("tagged", { size: 65536, blockSize: 4096, tagSize: 16 }),
  ]
  await plain.write(8192, new Uint8Array(1024).fill(1))
  await tagged.write(4096, new Uint8Array(4096).fill(1), { tags: new Uint8Array(16).fill(1) })
  const before = media.fork()
  expect(changedParts(before, media, 16)).toEqual([])

  const sector = new Uint8Array(512).fill(1)
  sector[17] = 2
  await plain.write(8192, sector)
  await plain.write(2 ** 39, new Uint8Array([3, ...new Uint8Array(511)]))
  await tagged.write(4096, new Uint8Array(4096).fill(1), { tags: new Uint8Array(16).fill(2) })
  await tagged.write(0, new Uint8Array(4096))
  const names = (partSize: number) =>
    changedParts(before, media, partSize).map(({ medium, area, offset }) => `${medium} ${area} ${offset}`)
  expect(names(16)).toEqual([`plain data ${8192 + 16}`, `plain data ${2 ** 39}`, "tagged tags 16"])
  expect(names(512)).toEqual(["plain data 8192", `plain data ${2 ** 39}`, "tagged tags 0"])
  // What is gone, and what a medium holds that was not there, differ too.
  await plain.writeZeroes(8192, 1024)
  expect(names(512).slice(0, 2)).toEqual(["plain data 8192", "plain data 8704"])
  expect(changedParts(createMedia(), before, 512)).toHaveLength(2 + 8 + 1)
  expect(() => changedParts(before, media, 100)).toThrow(RangeError)
})
