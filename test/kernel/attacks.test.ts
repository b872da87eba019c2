import { existsSync, readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import {
  ATTACKS,
  type Attack,
  type AttackedVolume,
  createScene,
  judgeReading,
  type Outcome,
  stageAttack,
  waysOf,
} from "@blockstrata/testkit"
import { expect, inject, test } from "vitest"
import { TOUR_ATTACKS } from "../../packages/tour/src/attack-table.ts"
import { tourStacks } from "../../packages/tour/src/stacks.ts"
import { EXPECTED } from "../attacks/expectation.ts"
import { isLineStack, type LineStack } from "../attacks/line-stack.ts"
import { STACKS } from "../attacks/stacks.ts"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"

/** Not asked: media of other sizes (A8a, A8b) or with two faces (A18), and the sixty fields of A11. */
const ASKED = ATTACKS.filter(({ id }) => !["A8a", "A8b", "A11", "A18"].includes(id))
const IMAGES = ["0.img", "1.img"]
/** Bytes: at least the largest medium of the stacks; the kernel's devices keep their size from case to case. */
const IMAGE_SIZE = 512 * 1024

/** Linux 6.1 oopses on it when the device resumes: it queues a recalculation, and a tag store has no queue for one. */
const DEADLY = "A13 A: dirty bitmap, all bits set"

/** Of the variants only what they are there for. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = { "H-legacy": ["A4"], "H-discards": ["A9"] }

/** Where Linux does something else, or the ways of an attack differ: it acts on journals and flags that nobody authenticated. */
const LINUX: Readonly<Record<string, Outcome>> = {
  // As here: of the ways of one attack one is taken and two are refused.
  ...Object.fromEntries(
    ["C", "S", "H", "HB", "A"].flatMap((name) => [
      [`A12 ${name}: an entry that puts the old block back`, "old"],
      [`A12 ${name}: two sections swapped`, "refused"],
      [`A12 ${name}: a section of noise`, "refused"],
    ]),
  ),
  // Recalculation of a keyed hash is refused since 5.11, in every mode but for a dirty bitmap.
  "A13 HB: recalculating": "refused",
  ...Object.fromEntries(["C", "S", "H", "HB"].map((name) => [`A13 ${name}: dirty bitmap, all bits set`, "chosen"])),
}

/** The columns of the matrix that say what to expect of the tour's stacks, in their order. */
const TOUR_COLUMNS = ["X", "A", "V", "V"]

/** Shows that a stack opens and reads in Linux at all: nothing is refused for want of that. */
const CONTROL: Attack = { id: "control", name: "nothing", applies: () => true, run: async () => undefined }

interface Case {
  readonly name: string
  readonly stack: LineStack
  readonly volume: AttackedVolume
  readonly expected: string | undefined
}

async function stageAll(): Promise<Case[]> {
  const cases: Case[] = []
  const stage = async (stack: LineStack, column: string, attacks: readonly Attack[]) => {
    const scene = await createScene(stack, inject("seed"))
    for (const attack of [CONTROL, ...attacks]) {
      for (const way of waysOf(attack, stack)) {
        const name = `${attack.id} ${stack.name}${way.name === "" ? "" : `: ${way.name}`}`
        if (name === DEADLY) continue
        const { volume, warning } = await stageAttack(attack, way, scene)
        const ours = attack === CONTROL ? "unharmed" : EXPECTED[attack.id]?.[column]
        if (warning === undefined) cases.push({ name, stack, volume, expected: LINUX[name] ?? ours })
      }
    }
  }
  for (const stack of STACKS.filter(isLineStack)) {
    await stage(
      stack,
      stack.name,
      ASKED.filter(({ id }) => VARIANTS[stack.name]?.includes(id) ?? true),
    )
  }
  for (const [index, stack] of (await tourStacks()).entries())
    await stage(stack, TOUR_COLUMNS[index] ?? "", TOUR_ATTACKS)
  return cases
}

/** The blocks that Linux is asked for one by one where it does not read all of them at once: what was attacked comes first. */
function askedBlocks({ victim, wanted, overwritten }: AttackedVolume): number[] {
  return [...new Set([victim, ...wanted.keys(), ...overwritten])].slice(0, 3)
}

/** Loads the media, builds the stack, reads all of it at once and, if that fails, a few blocks; takes everything down. */
function scriptOf({ stack, volume }: Case, index: number): string {
  const lines = stack.readerLines(volume.kept)
  const names = lines.map(({ name }) => name)
  const media = [...volume.media.byName.keys()]
  const place = (word: string) =>
    media.includes(word) ? `/dev/img${media.indexOf(word)}` : names.includes(word) ? `/dev/mapper/${word}` : word
  // Nothing can be written over a hash tree; elsewhere Linux may do what it does to a volume that is its own.
  const options = lines.some(({ line }) => line.includes(" verity ")) ? "-r " : ""
  const create = lines.map(
    ({ name, line }) =>
      `dmsetup create ${options}${name} --table '${line.split(" ").map(place).join(" ")}' 2>/dev/null`,
  )
  const read = (out: string, block: number, more: string) =>
    `dd if=/dev/mapper/${names.at(-1)} of=/share/${index}-${out} bs=${block} ${more} count=1 iflag=direct status=none 2>/dev/null || rm -f /share/${index}-${out}`
  return [
    ...media.map((name) => `cat /share/${index}-${name} > ${place(name)}`),
    "sync; echo 3 > /proc/sys/vm/drop_caches",
    `if ${create.join(" && ")}; then touch /share/${index}-open`,
    read("all", volume.blocks.length * volume.blockSize, ""),
    `[ -e /share/${index}-all ] || for i in ${askedBlocks(volume).join(" ")}; do`,
    read("$i", volume.blockSize, "skip=$i"),
    "done; fi",
    ...names.map((name) => `dmsetup remove ${name} 2>/dev/null`).toReversed(),
  ].join("\n")
}

function outcomeOf({ volume }: Case, folder: string, index: number): Outcome {
  if (!existsSync(join(folder, `${index}-open`))) return judgeReading(volume, undefined)
  const { blockSize } = volume
  const read = (name: string) => {
    const file = join(folder, `${index}-${name}`)
    return existsSync(file) ? new Uint8Array(readFileSync(file)) : undefined
  }
  const all = read("all")
  const asked = new Set(askedBlocks(volume))
  const blocks = volume.blocks.map((good, block) => {
    if (all !== undefined) return all.subarray(block * blockSize, (block + 1) * blockSize)
    return asked.has(block) ? read(String(block)) : good
  })
  return judgeReading(volume, { size: volume.blocks.length * blockSize, blocks })
}

test.skipIf(!ORACLE)(`Linux on the same volumes, attacked in the same ways (${ORACLE_NEEDS})`, async () => {
  const cases = await stageAll()
  await withFolder(async (folder) => {
    for (const image of IMAGES) await writeFile(join(folder, image), new Uint8Array(IMAGE_SIZE))
    for (const [index, { volume }] of cases.entries()) {
      for (const [name, { shape, current }] of volume.media.byName) {
        const bytes = new Uint8Array(shape.size)
        current.data.read(0, bytes)
        await writeFile(join(folder, `${index}-${name}`), bytes)
      }
    }
    const script = `${cases.map(scriptOf).join("\n")}\ntrue\n`
    await runInKernel(folder, script, IMAGES)
    const found = cases.map((one, index) => [one.name, outcomeOf(one, folder, index)])
    expect(found).toEqual(cases.map(({ name, expected }) => [name, expected]))
  })
})
