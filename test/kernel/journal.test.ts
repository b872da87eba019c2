import { spawn } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { memoryDevice } from "@blockstrata/device"
import { decodeSuperblock, layoutOf, openIntegrity } from "@blockstrata/integrity"
import { defaultEngine } from "@blockstrata/primitives"
import { createMedia } from "@blockstrata/testkit"
import { expect, inject, test } from "vitest"
import { createInternalHash } from "../../packages/integrity/src/internal-hash.ts"
import { volumeJournal } from "../../packages/integrity/src/open-journal.ts"
import { planReplay } from "../../packages/integrity/src/replay-plan.ts"
import { tagCheck } from "../../packages/integrity/src/tag-check.ts"
import {
  COMBINATION_COUNT,
  contentAfter,
  contentOf,
  drawSteps,
  formatted,
  type JournalVolume,
  journalVolumes,
  lineOf,
  MEDIUM_SIZE,
  openingOf,
  protectionOf,
  type Step,
  wrongBlocks,
} from "./journal-volume.ts"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"

const SECTOR_SIZE = 512
const IMAGE = "all.img"
const WRITE_COUNT = 8

/** How many sections of a journal would be replayed. */
async function replayedSections(volume: JournalVolume, image: Uint8Array): Promise<number> {
  const superblock = decodeSuperblock(image)
  const layout = layoutOf(superblock, image.length, 0, image.length)
  const salt = superblock.hasFixedHmac ? superblock.salt : undefined
  const lower = memoryDevice({ bytes: image, readOnly: true })
  const area = volumeJournal({ ...volume, metadata: lower, layout, salt, engine: defaultEngine })
  const hash = createInternalHash(defaultEngine, volume.internalHash)
  const { blockSize, tagSize } = layout
  const check = tagCheck({ hash, blockSize, tagSize, salt, acceptsFiller: false, unitBlockCount: 1 })
  const plan = await planReplay({ area, layout, check, unitSize: blockSize, isJournalMode: true })
  area.destroy()
  return plan.round.isEmpty ? 0 : plan.round.sections.length
}

/** Whether something that was committed does not stand where it belongs yet: recovery changes more than the journal. */
async function isPending(volume: JournalVolume, before: Uint8Array, size: number): Promise<boolean> {
  const after = new Uint8Array(before)
  await contentAfter(volume, after, size)
  const { firstAreaOffset } = layoutOf(decodeSuperblock(before), before.length, 0, before.length)
  return Buffer.compare(before.subarray(firstAreaOffset), after.subarray(firstAreaOffset)) !== 0
}

const slice = (image: Uint8Array, index: number) => image.subarray(index * MEDIUM_SIZE, (index + 1) * MEDIUM_SIZE)
/** A part of the one image, as a device of its own. */
const mediumLine = (index: number) =>
  `dmsetup create m${index} --table '0 ${MEDIUM_SIZE / SECTOR_SIZE} linear /dev/img0 ${(index * MEDIUM_SIZE) / SECTOR_SIZE}'`
const volumeLine = (volume: JournalVolume, index: number, size: number) =>
  `dmsetup create ${volume.name} --table '${lineOf(volume, size).replace("DEV", `/dev/mapper/m${index}`)}'`

/** Volumes that one guest has the memory for, all open at once. */
const GROUP_COUNT = 14

/** Has Linux write the volumes and crash. @returns their images. */
async function crashedByLinux(
  folder: string,
  volumes: readonly JournalVolume[],
  plans: readonly { readonly size: number; readonly steps: readonly Step[]; readonly image: Uint8Array }[],
): Promise<Uint8Array> {
  const commands: string[] = []
  for (const [index, volume] of volumes.entries()) {
    const { size, steps } = plans[index]!
    commands.push(mediumLine(index), volumeLine(volume, index, size))
    const writes = steps.flatMap((step) => (step.do === "write" ? [contentOf(volume, step)] : []))
    await writeFile(join(folder, volume.name), Buffer.concat(writes))
    let skip = 0
    for (const [at, step] of steps.entries()) {
      if (step.do === "flush") continue
      const sync = steps[at + 1]?.do === "flush" ? ",fsync" : ""
      commands.push(
        `dd if=/share/${volume.name} of=/dev/mapper/${volume.name} bs=${volume.blockSize} skip=${skip} seek=${step.block} count=${step.count} oflag=direct conv=notrunc${sync} status=none`,
      )
      skip += step.count
    }
  }
  await writeFile(join(folder, IMAGE), Buffer.concat(plans.map(({ image }) => image)))
  await runInKernel(folder, `set -e\n${commands.join("\n")}\ncrash 0\n`, [IMAGE])
  return new Uint8Array(await readFile(join(folder, IMAGE)))
}

test.skipIf(!ORACLE)(`what Linux crashed is recovered here (${ORACLE_NEEDS})`, async () => {
  const all = journalVolumes(inject("seed"))
  const counts = { images: 0, withPending: 0, sections: 0 }
  const combinations = new Set<string>()
  for (let first = 0; first < all.length; first += GROUP_COUNT) {
    const volumes = all.slice(first, first + GROUP_COUNT)
    await withFolder(async (folder) => {
      const plans: Parameters<typeof crashedByLinux>[2][number][] = []
      for (const volume of volumes) plans.push({ ...(await formatted(volume)), steps: drawSteps(volume, WRITE_COUNT) })
      const crashed = await crashedByLinux(folder, volumes, plans)
      for (const [index, volume] of volumes.entries()) {
        const { size, steps } = plans[index]!
        const image = new Uint8Array(slice(crashed, index))
        counts.images += 1
        counts.sections += await replayedSections(volume, image)
        if (await isPending(volume, image, size)) {
          counts.withPending += 1
          combinations.add(protectionOf(volume))
        }
        const content = await contentAfter(volume, image, size)
        expect(wrongBlocks(volume, steps, content), `${volume.name}: ${lineOf(volume, size)}`).toEqual([])
        // Twice: recovery and closing left nothing that reads otherwise.
        expect(Buffer.compare(await contentAfter(volume, image, size), content)).toBe(0)
      }
    })
  }
  console.log("crashed by Linux, recovered here:", counts)
  expect(counts.withPending).toBeGreaterThanOrEqual(30)
  expect(combinations.size).toBe(COMBINATION_COUNT)
})

/** A volume that was written here, and then lost its power or was closed. */
async function writtenHere(volume: JournalVolume, steps: readonly Step[], isClosed: boolean) {
  const { image, size } = await formatted(volume)
  const media = createMedia()
  const fresh = media.medium("disk", { size: MEDIUM_SIZE })
  await fresh.write(0, image)
  await fresh.close()
  const lower = media.medium("disk", { size: MEDIUM_SIZE })
  const device = await openIntegrity({ ...openingOf(volume, size), lower })
  for (const step of steps) {
    if (step.do === "flush") await device.flush()
    else await device.write(step.block * volume.blockSize, contentOf(volume, step))
  }
  if (isClosed) await device.close()
  else {
    // A crash in the middle of a commit, too.
    const flushing = device.flush().catch(() => undefined)
    for (let turn = volume.random.below(40); turn > 0; turn--) await Promise.resolve()
    media.crash(({ length }) =>
      volume.random.pick([
        "absent",
        "whole",
        ...(length > SECTOR_SIZE ? (["first unit", "every other unit"] as const) : []),
      ]),
    )
    await flushing
    await device.close().catch(() => undefined)
  }
  const left = new Uint8Array(MEDIUM_SIZE)
  await media.medium("disk", { size: MEDIUM_SIZE }).read(0, left)
  return { image: left, size }
}

test.skipIf(!ORACLE)(`what was closed or crashed here Linux recovers, and writes on (${ORACLE_NEEDS})`, async () => {
  const volumes = journalVolumes(inject("seed") + 1)
  await withFolder(async (folder) => {
    // Each once crashed and once closed.
    const cases = volumes.flatMap((volume) => [false, true].map((isClosed) => ({ volume, isClosed })))
    const all = new Uint8Array(cases.length * MEDIUM_SIZE)
    const commands: string[] = []
    const counts = { crashed: 0, withPending: 0, sections: 0, closed: 0 }
    const combinations = new Set<string>()
    const plans: { readonly size: number; readonly steps: readonly Step[]; readonly last: Step & { do: "write" } }[] =
      []
    for (const [index, { volume, isClosed }] of cases.entries()) {
      let steps = drawSteps(volume, WRITE_COUNT)
      let { image, size } = await writtenHere(volume, steps, isClosed)
      // What is committed and not written back is what recovery is for.
      for (let tries = 0; tries < 3 && !isClosed && !(await isPending(volume, image, size)); tries++) {
        steps = drawSteps(volume, WRITE_COUNT)
        const written = await writtenHere(volume, steps, isClosed)
        image = written.image
        size = written.size
      }
      all.set(image, index * MEDIUM_SIZE)
      const last = { do: "write", block: 5, count: 7, seed: 1234 } as const
      plans.push({ size, steps: isClosed ? [...steps, { do: "flush" }] : steps, last })
      const sections = await replayedSections(volume, image)
      if (isClosed) {
        expect(sections).toBe(0)
        counts.closed += 1
      } else {
        counts.crashed += 1
        counts.sections += sections
        if (await isPending(volume, image, size)) {
          counts.withPending += 1
          combinations.add(protectionOf(volume))
        }
      }
      await writeFile(join(folder, `last-${index}`), contentOf(volume, last))
      commands.push(
        mediumLine(index),
        volumeLine(volume, index, size),
        `dd if=/dev/mapper/${volume.name} of=/share/read-${index} bs=${size} count=1 iflag=fullblock status=none`,
        `dd if=/share/last-${index} of=/dev/mapper/${volume.name} bs=${volume.blockSize} seek=5 conv=notrunc,fsync status=none`,
        `dmsetup remove ${volume.name}`,
      )
    }
    await writeFile(join(folder, IMAGE), all)
    await runInKernel(folder, `set -e\n${commands.join("\n")}\n`, [IMAGE])
    const after = new Uint8Array(await readFile(join(folder, IMAGE)))
    for (const [index, { volume }] of cases.entries()) {
      const { size, steps, last } = plans[index]!
      const read = new Uint8Array(await readFile(join(folder, `read-${index}`)))
      expect(read.length).toBe(size)
      expect(wrongBlocks(volume, steps, read), `${volume.name}: ${lineOf(volume, size)}`).toEqual([])
      read.set(contentOf(volume, last), last.block * volume.blockSize)
      const content = await contentAfter(volume, new Uint8Array(slice(after, index)), size)
      expect(Buffer.compare(content, read), `${volume.name} after Linux wrote on`).toBe(0)
    }
    console.log("crashed or closed here, recovered by Linux:", counts)
    expect(counts.withPending).toBeGreaterThanOrEqual(30)
    expect(combinations.size).toBe(COMBINATION_COUNT)
  })
})

const WRITER = fileURLToPath(new URL("killed-writer.mjs", import.meta.url))
const KILLED_COUNT = 12

/** Runs a writer and kills it in the middle of its work. @returns the steps that were begun, but a flush that did not end. */
async function killedWriter(folder: string, volume: JournalVolume, size: number, steps: readonly Step[]) {
  const path = join(folder, volume.name)
  const plan = {
    table: `v,,,rw,${lineOf(volume, size).replace("DEV", `${path}.img`)}`,
    content: `${path}.bytes`,
    steps: steps.map((step) =>
      step.do === "flush"
        ? step
        : { do: "write", offset: step.block * volume.blockSize, length: step.count * volume.blockSize },
    ),
  }
  const writes = steps.flatMap((step) => (step.do === "write" ? [contentOf(volume, step)] : []))
  await writeFile(plan.content, Buffer.concat(writes))
  await writeFile(`${path}.json`, JSON.stringify(plan))
  const child = spawn(process.execPath, [WRITER, `${path}.json`], { stdio: ["ignore", "pipe", "pipe"] })
  const wanted = 2 + volume.random.below(steps.length - 2)
  let doneCount = 0
  let complaint = ""
  child.stdout.on("data", (dots: Buffer) => {
    doneCount += dots.length
    if (doneCount >= wanted) child.kill("SIGKILL")
  })
  child.stderr.on("data", (text: Buffer) => (complaint += text))
  const signal = await new Promise((resolve) => child.on("close", (_status, name) => resolve(name)))
  expect([signal, complaint]).toEqual(["SIGKILL", ""])
  const [begun] = steps.slice(doneCount)
  return begun?.do === "write" ? steps.slice(0, doneCount + 1) : steps.slice(0, doneCount)
}

test.skipIf(!ORACLE)(`what was killed here (kill -9) is recovered here and by Linux (${ORACLE_NEEDS})`, async () => {
  const volumes = journalVolumes(inject("seed") + 2).slice(0, KILLED_COUNT)
  await withFolder(async (folder) => {
    const commands: string[] = []
    const all = new Uint8Array(volumes.length * MEDIUM_SIZE)
    const plans: { readonly size: number; readonly steps: readonly Step[] }[] = []
    let sections = 0
    for (const [index, volume] of volumes.entries()) {
      const { image, size } = await formatted(volume)
      const path = join(folder, `${volume.name}.img`)
      await writeFile(path, image)
      const steps = await killedWriter(folder, volume, size, drawSteps(volume, 3 * WRITE_COUNT))
      const killed = new Uint8Array(await readFile(path))
      all.set(killed, index * MEDIUM_SIZE)
      plans.push({ size, steps })
      sections += await replayedSections(volume, killed)
      const content = await contentAfter(volume, killed, size)
      expect(wrongBlocks(volume, steps, content), `${volume.name}: ${lineOf(volume, size)}`).toEqual([])
      commands.push(
        mediumLine(index),
        volumeLine(volume, index, size),
        `dd if=/dev/mapper/${volume.name} of=/share/read-${index} bs=${size} count=1 iflag=fullblock status=none`,
        `dmsetup remove ${volume.name}`,
      )
    }
    await writeFile(join(folder, IMAGE), all)
    await runInKernel(folder, `set -e\n${commands.join("\n")}\n`, [IMAGE])
    for (const [index, volume] of volumes.entries()) {
      const read = new Uint8Array(await readFile(join(folder, `read-${index}`)))
      expect(wrongBlocks(volume, plans[index]!.steps, read), `${volume.name} in Linux`).toEqual([])
    }
    console.log(`killed here: ${volumes.length} volumes, ${sections} sections replayed`)
    expect(sections).toBeGreaterThan(0)
  })
})
