import { existsSync, readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import {
  ATTACKS,
  type AttackedVolume,
  createScene,
  judgeReading,
  type Outcome,
  stageAttack,
  waysOf,
} from "@blockstrata/testkit"
import { expect, inject, test } from "vitest"
import { EXPECTED } from "../attacks/expectation.ts"
import { isLineStack, type LineStack } from "../attacks/line-stack.ts"
import { STACKS } from "../attacks/stacks.ts"
import { ORACLE, runInKernel, withFolder } from "./oracle.ts"

/** Not asked: media of other sizes (A8a, A8b) or with two faces (A18), and the sixty fields of A11. */
const ASKED = ATTACKS.filter(({ id }) => !["A8a", "A8b", "A11", "A18"].includes(id))
const IMAGES = ["disk", "data", "hash"]
/** Bytes: the largest medium of the stacks. */
const IMAGE_SIZE = 256 * 1024

/** Linux 6.1 dies of it: the recovery of a bitmap asks for the internal hash that a tag store does not have. */
const DEADLY = "A13 A: dirty bitmap, all bits set"

/** Of the variants only what they are there for. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = { "H-legacy": ["A4"], "H-discards": ["A9"] }

/** Where Linux does something else: it acts on journals and flags that nobody authenticated. */
const LINUX: Readonly<Record<string, Outcome>> = {
  ...Object.fromEntries(
    ["C", "S", "H", "A"].map((name) => [`A12 ${name}: an entry that puts the old block back`, "old"]),
  ),
  "A12 HB: an entry that puts the old block back": "unharmed",
  // Recalculation of a keyed hash is refused since 5.11, in every mode but for a dirty bitmap.
  ...Object.fromEntries(["C", "S"].map((name) => [`A13 ${name}: recalculating`, "chosen"])),
  ...Object.fromEntries(["C", "S", "H", "HB"].map((name) => [`A13 ${name}: dirty bitmap, all bits set`, "chosen"])),
}

interface Case {
  readonly attack: string
  readonly way: string
  readonly stack: LineStack
  readonly volume: AttackedVolume
}

async function stageAll(): Promise<Case[]> {
  const cases: Case[] = []
  for (const stack of STACKS.filter(isLineStack)) {
    const scene = await createScene(stack, inject("seed"))
    for (const attack of ASKED.filter(({ id }) => VARIANTS[stack.name]?.includes(id) ?? true)) {
      for (const way of waysOf(attack, stack)) {
        if (`${attack.id} ${stack.name}: ${way.name}` === DEADLY) continue
        const { volume, warning } = await stageAttack(attack, way, scene)
        if (warning === undefined) cases.push({ attack: attack.id, way: way.name, stack, volume })
      }
    }
  }
  return cases
}

/** Loads the media, builds the stack, reads all of it at once and, if that fails, by the block; takes everything down. */
function scriptOf({ stack, volume }: Case, index: number): string {
  const lines = stack.readerLines(volume.kept)
  const place = (word: string) =>
    IMAGES.includes(word) ? `/dev/img${IMAGES.indexOf(word)}` : /^d\d$/.test(word) ? `/dev/mapper/${word}` : word
  const create = lines.map(
    (line, at) => `dmsetup create d${at} --table '${line.split(" ").map(place).join(" ")}' 2>/dev/null`,
  )
  const top = `/dev/mapper/d${lines.length - 1}`
  const read = (out: string, block: string, more: string) =>
    `dd if=${top} of=/share/${index}-${out} bs=${block} ${more} count=1 iflag=direct status=none 2>/dev/null || rm -f /share/${index}-${out}`
  return [
    ...[...volume.media.byName.keys()].map((name) => `cat /share/${index}-${name} > ${place(name)}`),
    "sync; echo 3 > /proc/sys/vm/drop_caches",
    `if ${create.join(" && ")}; then touch /share/${index}-open`,
    read("all", String(volume.blocks.length * volume.blockSize), ""),
    `[ -e /share/${index}-all ] || for i in $(seq 0 ${volume.blocks.length - 1}); do`,
    read("$i", String(volume.blockSize), "skip=$i"),
    "done; fi",
    ...lines.map((_, at) => `dmsetup remove d${at} 2>/dev/null`).toReversed(),
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
  const blocks = volume.blocks.map(
    (_, block) => all?.subarray(block * blockSize, (block + 1) * blockSize) ?? read(String(block)),
  )
  return judgeReading(volume, { size: volume.blocks.length * blockSize, blocks })
}

test.skipIf(!ORACLE)("Linux on the same volumes, attacked in the same ways (needs BLOCKSTRATA_ORACLE)", async () => {
  const cases = await stageAll()
  await withFolder(async (folder) => {
    for (const image of IMAGES) await writeFile(join(folder, `${image}.img`), new Uint8Array(IMAGE_SIZE))
    for (const [index, { volume }] of cases.entries()) {
      for (const [name, { shape, current }] of volume.media.byName) {
        const bytes = new Uint8Array(shape.size)
        current.data.read(0, bytes)
        await writeFile(join(folder, `${index}-${name}`), bytes)
      }
    }
    const script = `${cases.map(scriptOf).join("\n")}\ntrue\n`
    await runInKernel(
      folder,
      script,
      IMAGES.map((image) => `${image}.img`),
    )
    const found = cases.map((one, index) => [nameOf(one), outcomeOf(one, folder, index)])
    expect(found).toEqual(
      cases.map((one) => [nameOf(one), LINUX[nameOf(one)] ?? EXPECTED[one.attack]?.[one.stack.name]]),
    )
  })
})

function nameOf({ attack, stack, way }: Case): string {
  return `${attack} ${stack.name}${way === "" ? "" : `: ${way}`}`
}
