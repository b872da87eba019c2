import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import { integrityWord, readIntegritySuperblock } from "@blockstrata/integrity"
import { createMedia, type Media, seededRandom, seededRuntime } from "@blockstrata/testkit"
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

/** Images of each kind. */
const CRASH_COUNT = 40
const CLEAN_COUNT = 20
const random = seededRandom(inject("seed"), "kernel bitmap")
const FLAGS_OFFSET = 24
const DIRTY_BITMAP = 4
/** What volumes are written with: sector n of a volume is sector n of one of these, or zero. */
const PLAINTEXTS = [0, 1].map((index) => seededRandom(index, "kernel plaintext").bytes(SLICE_SIZE))

interface Prepared {
  readonly volume: BitmapVolume
  readonly size: number
  readonly image: Uint8Array
}

async function prepare(count: number, firstIndex = 0): Promise<Prepared[]> {
  const prepared: Prepared[] = []
  for (let index = firstIndex; index < firstIndex + count; index++) {
    const volume = pickVolume(random, index)
    const image = new Uint8Array(SLICE_SIZE)
    prepared.push({ volume, image, size: await formatVolume(volume, image) })
  }
  return prepared
}

/** Writes a few runs of a plaintext at their own places; the same list for Linux and for here. */
function pickWrites(size: number, count: number): { offset: number; length: number; plaintext: number }[] {
  const unit = 4096
  return Array.from({ length: count }, () => {
    const length = Math.min((1 + random.below(24)) * unit, size)
    const offset = random.below((size - length) / unit + 1) * unit
    return { offset, length, plaintext: random.below(PLAINTEXTS.length) }
  })
}

type Writes = ReturnType<typeof pickWrites>

function ddOf(index: number, { offset, length, plaintext }: Writes[number]): string {
  const place = `seek=${offset / 4096} skip=${offset / 4096} count=${length / 4096}`
  return `dd if=/share/p${plaintext} of=/dev/mapper/v${index} bs=4096 ${place} oflag=direct conv=notrunc status=none`
}

async function writeHere(device: BlockDevice, writes: Writes): Promise<void> {
  for (const { offset, length, plaintext } of writes)
    await device.write(offset, PLAINTEXTS[plaintext]!.subarray(offset, offset + length))
}

async function writePlaintexts(folder: string): Promise<void> {
  for (const [index, bytes] of PLAINTEXTS.entries()) await writeFile(join(folder, `p${index}`), bytes)
}

async function contentOf(device: BlockDevice): Promise<Uint8Array> {
  const content = new Uint8Array(device.size)
  await device.read(0, content)
  return content
}

/** Recovers an image here, has every block read, and closes it. */
async function recoverHere({ volume, size }: Prepared, image: Uint8Array, mode: "B" | "D" = "B"): Promise<Uint8Array> {
  const device = await openHere(volume, memoryDevice({ bytes: image }), size, { mode })
  const content = await contentOf(device)
  await device.close()
  return content
}

/** Every sector is one that was written there. */
function expectWritten(content: Uint8Array, size: number): void {
  const sources = [new Uint8Array(SLICE_SIZE), ...PLAINTEXTS]
  for (let at = 0; at < size; at += 512) {
    const isWritten = sources.some(
      (source) => Buffer.compare(content.subarray(at, at + 512), source.subarray(at, at + 512)) === 0,
    )
    if (!isWritten) expect.fail(`sector ${at / 512} holds what nobody wrote`)
  }
}

/** Opens every volume of `/dev/img0` in Linux, waits for its tags, prints the hash of its content, closes it. */
function recoverScript(volumes: readonly Prepared[], modeOf: (index: number) => string): string {
  const each = volumes.map(
    ({ volume, size }, place) => `${mapSlice(volume.index, 0, place)}
dmsetup create v${volume.index} --table '${lineOf(volume, size, modeOf(place))}'
${waitForTags(`v${volume.index}`)}
sha256sum < /dev/mapper/v${volume.index} | cut -c1-64
dmsetup remove v${volume.index}; dmsetup remove s${volume.index}`,
  )
  return `set -e\n${each.join("\n")}\n`
}

test.skipIf(!ORACLE)(`the same writes in mode B give the same image as in Linux (${ORACLE_NEEDS})`, async () => {
  const prepared = await prepare(CLEAN_COUNT)
  const writes = prepared.map(({ size }) => pickWrites(size, 3))
  await withFolder(async (folder) => {
    await writePlaintexts(folder)
    await writeSlices(
      folder,
      "disk.img",
      prepared.map(({ image }) => image),
    )
    const script = prepared.map(
      ({ volume, size }, index) => `${mapSlice(index)}
dmsetup create v${index} --table '${lineOf(volume, size)}'
dmsetup table --showkeys v${index} | sed -E 's/integrity [0-9]+:[0-9]+/integrity DEV/'
${writes[index]!.map((write) => ddOf(index, write)).join("\n")}
dmsetup remove v${index}; dmsetup remove s${index}`,
    )
    const printed = await runInKernel(folder, `set -e\n${script.join("\n")}\n`, ["disk.img"])
    const theirs = await readSlices(folder, "disk.img")
    for (const [index, { volume, size, image }] of prepared.entries()) {
      const device = await openHere(volume, memoryDevice({ bytes: image }), size)
      const superblock = await readIntegritySuperblock(memoryDevice({ bytes: image }))
      await writeHere(device, writes[index]!)
      const content = sha256(await contentOf(device))
      await device.close()
      expect(sha256(image), lineOf(volume, size)).toBe(sha256(theirs[index]!))
      expect(sha256(await recoverHere(prepared[index]!, theirs[index]!, "D"))).toBe(content)
      const args = lineOf(volume, size).replace(`/dev/mapper/s${index}`, "DEV").split(" ").slice(3)
      const line = integrityWord.parse(args, size)
      const completed = await integrityWord.complete?.(line, memoryDevice({ bytes: image }))
      const words = integrityWord.print(completed ?? line, { showKeys: true })
      // Linux rounds the interval to its ticks.
      const withoutTicks = (text: string) => text.replace(/bitmap_flush_interval:\d+/, "")
      expect(withoutTicks(`0 ${size / 512} integrity ${words.join(" ")}`)).toBe(
        withoutTicks(printed.trim().split("\n")[index]!),
      )
      expect(superblock.hasDirtyBitmap).toBe(true)
    }
  })
})

/** What is left of a volume whose power fails here while it is written. */
async function crashHere({ volume, size, image }: Prepared): Promise<Uint8Array> {
  const media: Media = createMedia({ atomicSize: 512 })
  const disk = media.medium("disk", { size: SLICE_SIZE })
  await disk.write(0, image)
  await disk.flush()
  const runtime = seededRuntime(volume.index)
  const device = await openHere(volume, disk, size, { runtime })
  let left = 2 + random.below(12)
  // From some request on, none ends any more; what was under way may have arrived.
  media.intercept = () => (left-- > 0 ? undefined : new Promise(() => {}))
  for (const [index, write] of pickWrites(size, 4).entries()) {
    writeHere(device, [write]).catch(() => {})
    if (index === 2 && random.below(2) === 0) runtime.advance(volume.bitmapFlushIntervalMs)
    for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  media.crash(() => random.pick(["absent", "whole", "first unit", "all but the first unit", "every other unit"]))
  media.intercept = undefined
  const crashed = new Uint8Array(SLICE_SIZE)
  await media.medium("disk", { size: SLICE_SIZE }).read(0, crashed)
  return crashed
}

/** What is left of volumes when Linux stops dead while all of them are written. */
async function crashThere(folder: string, prepared: readonly Prepared[]): Promise<Uint8Array[]> {
  await writeSlices(
    folder,
    "disk.img",
    prepared.map(({ image }) => image),
  )
  const open = prepared.map(
    ({ volume, size }) => `${mapSlice(volume.index)}
dmsetup create v${volume.index} --table '${lineOf(volume, size)}'`,
  )
  const write = prepared.map(({ volume: { index }, size }) => {
    const commands = pickWrites(size, 8).map((each) => ddOf(index, each))
    return `( while :; do\n${commands.join("\n")}\ndone ) &`
  })
  const script = `set -e\n${[...open, ...write].join("\n")}\nusleep 1500000\ncrash 0\n`
  await runInKernel(folder, script, ["disk.img"])
  return await readSlices(folder, "disk.img")
}

async function compareRecovery(folder: string, prepared: readonly Prepared[], crashed: Uint8Array[]): Promise<number> {
  await writeSlices(folder, "crashed.img", crashed)
  const script = recoverScript(prepared, () => "B")
  const printed = (await runInKernel(folder, script, ["crashed.img"])).trim().split("\n")
  const theirs = await readSlices(folder, "crashed.img")
  let damagedCount = 0
  for (const [place, each] of prepared.entries()) {
    const image = crashed[place]!
    const what = `volume ${place}: ${lineOf(each.volume, each.size)}`
    expect((await readIntegritySuperblock(memoryDevice({ bytes: image }))).hasDirtyBitmap, what).toBe(true)
    damagedCount += (await hasDamage(each, image)) ? 1 : 0
    const content = await recoverHere(each, image)
    expectWritten(content, each.size)
    expect(printed[place], what).toBe(sha256(content))
    expect(sha256(theirs[place]!), what).toBe(sha256(image))
  }
  return damagedCount
}

/** Whether some block does not match its tag: with a clean flag and an empty journal it would be unreadable. */
async function hasDamage({ volume, size }: Prepared, image: Uint8Array): Promise<boolean> {
  const bytes = image.slice()
  bytes[FLAGS_OFFSET]! &= ~DIRTY_BITMAP
  const fresh = new Uint8Array(SLICE_SIZE)
  await formatVolume(volume, fresh, false)
  bytes.set(fresh.subarray(4096, 8192), 4096)
  const device = await openHere(volume, memoryDevice({ bytes }), size, { mode: "D", readOnly: true })
  return await contentOf(device).then(
    () => false,
    () => true,
  )
}

test.skipIf(!ORACLE)(
  `${CRASH_COUNT} volumes crashed here recover in Linux as they do here (${ORACLE_NEEDS})`,
  async () => {
    const prepared = await prepare(CRASH_COUNT)
    const crashed: Uint8Array[] = []
    for (const each of prepared) crashed.push(await crashHere(each))
    const damagedCount = await withFolder((folder) => compareRecovery(folder, prepared, crashed))
    console.log(`${CRASH_COUNT} volumes crashed here, ${damagedCount} with blocks that did not match their tags`)
    expect(damagedCount).toBeGreaterThan(CRASH_COUNT / 8)
  },
)

test.skipIf(!ORACLE)(
  `${CRASH_COUNT} volumes that Linux crashed recover here as they do there (${ORACLE_NEEDS})`,
  async () => {
    let damagedCount = 0
    for (let batch = 0; batch < 2; batch++) {
      const prepared = await prepare(CRASH_COUNT / 2)
      damagedCount += await withFolder(async (folder) => {
        await writePlaintexts(folder)
        return await compareRecovery(folder, prepared, await crashThere(folder, prepared))
      })
    }
    console.log(`${CRASH_COUNT} volumes crashed in Linux, ${damagedCount} with blocks that did not match their tags`)
    expect(damagedCount).toBeGreaterThan(CRASH_COUNT / 8)
  },
)
