import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { memoryDevice } from "@blockstrata/device"
import { layoutOf, readIntegritySuperblock } from "@blockstrata/integrity"
import { seededRandom, seededRuntime } from "@blockstrata/testkit"
import { expect, inject, test } from "vitest"
import { sha256 } from "../vector.ts"
import {
  type BitmapVolume,
  formatVolume,
  lineOf,
  mapSlice,
  openHere,
  pickVolume,
  readSlices,
  SLICE_SIZE,
  waitForTags,
  writeSlices,
} from "./bitmap-volume.ts"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"

const VOLUME_COUNT = 12
const random = seededRandom(inject("seed"), "kernel recalculation")
/** Closed and opened as Linux does it with a keyed hash: not without being told so. */
const LEGACY = ["legacy_recalculate"]

const openScript = (
  volume: BitmapVolume,
  size: number,
  mode: string,
  words: string[],
): string => `${mapSlice(volume.index)}
dmsetup create v${volume.index} --table '${lineOf(volume, size, mode, words)}'
${waitForTags(`v${volume.index}`)}
sha256sum < /dev/mapper/v${volume.index} | cut -c1-64
dmsetup remove v${volume.index}; dmsetup remove s${volume.index}`

test.skipIf(!ORACLE)(`a dirty bitmap opened in modes J and D, there and here (${ORACLE_NEEDS})`, async () => {
  const volumes: { volume: BitmapVolume; size: number; image: Uint8Array }[] = []
  for (let index = 0; index < VOLUME_COUNT; index++) {
    const volume = pickVolume(random, index)
    const image = new Uint8Array(SLICE_SIZE)
    const size = await formatVolume(volume, image)
    const device = await openHere(volume, memoryDevice({ bytes: image }), size, { runtime: seededRuntime(index) })
    const length = Math.min(size, 64 * 1024)
    await device.write(0, random.bytes(length))
    // Never closed: the power fails here, and of the last block a sector had arrived without its tag.
    const crashed = image.slice()
    const { firstAreaOffset, tagRunBytes } = layoutOf(
      await readIntegritySuperblock(memoryDevice({ bytes: image })),
      SLICE_SIZE,
      0,
    )
    random.fill(crashed.subarray(firstAreaOffset + tagRunBytes + length - 4096).subarray(0, 512))
    volumes.push({ volume, size, image: crashed })
  }
  const modeOf = (index: number) => (index % 2 === 0 ? "J" : "D")
  await withFolder(async (folder) => {
    await writeSlices(
      folder,
      "disk.img",
      volumes.map(({ image }) => image),
    )
    const script = volumes.map(({ volume, size }, index) => openScript(volume, size, modeOf(index), []))
    const printed = (await runInKernel(folder, `set -e\n${script.join("\n")}\n`, ["disk.img"])).trim().split("\n")
    const theirs = await readSlices(folder, "disk.img")
    for (const [index, { volume, size, image }] of volumes.entries()) {
      const what = lineOf(volume, size, modeOf(index))
      const device = await openHere(volume, memoryDevice({ bytes: image }), size, { mode: "D" })
      const content = new Uint8Array(size)
      await device.read(0, content)
      await device.close()
      expect(sha256(content), what).toBe(printed[index])
      expect(sha256(image), what).toBe(sha256(theirs[index]!))
    }
  })
})

test.skipIf(!ORACLE)(`recalculation begun here is finished in Linux as it is here (${ORACLE_NEEDS})`, async () => {
  const volumes: { volume: BitmapVolume; size: number; image: Uint8Array; mode: "B" | "D" }[] = []
  for (let index = 0; index < VOLUME_COUNT; index++) {
    const volume = pickVolume(random, index)
    const image = random.bytes(SLICE_SIZE)
    image.fill(0, 0, 4096)
    const size = await formatVolume(volume, image, false)
    const mode = index % 2 === 0 ? "B" : "D"
    const options = { mode, recalculate: true, legacyRecalculate: true, runtime: seededRuntime(index) } as const
    const device = await openHere(volume, memoryDevice({ bytes: image }), size, options)
    await device.write(8192, random.bytes(16384))
    await device.close()
    const superblock = await readIntegritySuperblock(memoryDevice({ bytes: image }))
    expect(superblock).toMatchObject({ isRecalculating: true, recalculatedSectors: 0 })
    volumes.push({ volume, size, image, mode })
  }
  await withFolder(async (folder) => {
    await writeSlices(
      folder,
      "disk.img",
      volumes.map(({ image }) => image),
    )
    const script = volumes.map(({ volume, size, mode }) => openScript(volume, size, mode, LEGACY))
    const printed = (await runInKernel(folder, `set -e\n${script.join("\n")}\n`, ["disk.img"])).trim().split("\n")
    const theirs = await readSlices(folder, "disk.img")
    for (const [index, { volume, size, image, mode }] of volumes.entries()) {
      const what = lineOf(volume, size, mode, LEGACY)
      const options = { mode, legacyRecalculate: true, recalculation: "now" } as const
      const device = await openHere(volume, memoryDevice({ bytes: image }), size, options)
      const content = new Uint8Array(size)
      await device.read(0, content)
      await device.close()
      expect(sha256(content), what).toBe(printed[index])
      expect(sha256(image), what).toBe(sha256(theirs[index]!))
    }
  })
})

test.skipIf(!ORACLE)(`recalculation stopped half way here goes on there (${ORACLE_NEEDS})`, async () => {
  const volume = { ...pickVolume(random, 0), index: 0 }
  const image = random.bytes(12 * SLICE_SIZE)
  image.fill(0, 0, 4096)
  const size = await formatVolume(volume, image, false)
  const runtime = seededRuntime(1)
  const options = { mode: "D", recalculate: true, legacyRecalculate: true, runtime } as const
  const device = await openHere(volume, memoryDevice({ bytes: image }), size, options)
  runtime.advance(0)
  while (device.layer.status()["recalculatedBytes"] === 0) await new Promise((resolve) => setImmediate(resolve))
  await device.close()
  const { recalculatedSectors } = await readIntegritySuperblock(memoryDevice({ bytes: image }))
  expect(recalculatedSectors * 512).toBeGreaterThan(0)
  expect(recalculatedSectors * 512).toBeLessThan(size)
  await withFolder(async (folder) => {
    await writeFile(join(folder, "disk.img"), image)
    const line = lineOf(volume, size, "D", LEGACY).replace("/dev/mapper/s0", "/dev/img0")
    const script = `dmsetup create v --table '${line}'\n${waitForTags("v")}\nsha256sum < /dev/mapper/v | cut -c1-64\ndmsetup remove v\n`
    const printed = await runInKernel(folder, `set -e\n${script}`, ["disk.img"])
    const theirs = new Uint8Array(await readFile(join(folder, "disk.img")))
    const finished = await openHere(volume, memoryDevice({ bytes: image }), size, { ...options, recalculation: "now" })
    const content = new Uint8Array(size)
    await finished.read(0, content)
    await finished.close()
    expect(printed.trim()).toBe(sha256(content))
    expect(sha256(image)).toBe(sha256(theirs))
  })
})
