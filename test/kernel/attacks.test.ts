import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import {
  type Attack,
  attacks,
  BLOCK_SIZE,
  type Outcome,
  stageAttack,
  tryAttack,
  VICTIM_OFFSET,
} from "../../packages/tour/src/attack.ts"
import { type AttackedVolume, createVolume, type Stack } from "../../packages/tour/src/stack.ts"
import { tourStacks } from "../../packages/tour/src/stacks.ts"
import { sha256 } from "../vector.ts"
import { ORACLE, runInKernel, withFolder } from "./oracle.ts"

const IMAGES = ["disk.img", "hash.img"]
/** Larger than any medium of the tour; the kernel's devices keep their size from case to case. */
const DEVICE_SIZE = 524288

interface Case {
  readonly name: string
  readonly volume: AttackedVolume
  readonly old: string
  readonly current: string
  /** What this library reads after the same attack. */
  readonly ours: Outcome
}

/** Shows that a stack opens and reads in the kernel at all: nothing is "caught" for want of that. */
const control: Attack = { name: "nothing", tamper: async () => {} }

async function stage(stack: Stack, attack: Attack): Promise<Case> {
  const volume = await createVolume(stack)
  const { old, current } = await stageAttack(attack, volume)
  const ours = await tryAttack(attack, await createVolume(stack))
  return { name: `${stack.name}: ${attack.name}`, volume, old: sha256(old), current: sha256(current), ours }
}

/** Loads the media, builds the stack, prints what the attacked block reads as, and takes everything down. */
function scriptOf({ volume }: Case, index: number): string {
  const lines = volume.lines()
  const names = lines.map(({ name }) => name)
  const place = (line: string) =>
    line
      .split(" ")
      .map((word) =>
        IMAGES.includes(word) ? `/dev/img${IMAGES.indexOf(word)}` : names.includes(word) ? `/dev/mapper/${word}` : word,
      )
      .join(" ")
  return [
    ...IMAGES.filter((image) => volume.media.has(image)).map(
      (image) => `cat /share/${index}-${image} > /dev/img${IMAGES.indexOf(image)}`,
    ),
    "sync; echo 3 > /proc/sys/vm/drop_caches",
    // A tree below the metadata may find out as early as the opening.
    `if ${lines.map(({ name, line }) => `dmsetup create -r ${name} --table '${place(line)}'`).join(" && ")}; then`,
    `dd if=/dev/mapper/${names.at(-1)} of=/tmp/block bs=${BLOCK_SIZE} skip=${VICTIM_OFFSET / BLOCK_SIZE} count=1 iflag=direct status=none && sha256sum < /tmp/block | cut -c1-64 || echo EIO`,
    "else echo REFUSED; fi",
    ...names.toReversed().map((name) => `dmsetup remove ${name} 2>/dev/null`),
  ].join("\n")
}

function outcomeOf({ old, current }: Case, printed: string): Outcome {
  if (printed === "EIO" || printed === "REFUSED") return "caught"
  if (printed === current) return "accepted: unharmed"
  return printed === old ? "accepted: old data" : "accepted: noise"
}

test.skipIf(!ORACLE)("Linux catches and accepts what this library does (needs BLOCKSTRATA_ORACLE)", async () => {
  const cases: Case[] = []
  for (const stack of await tourStacks()) {
    for (const attack of [control, ...attacks]) cases.push(await stage(stack, attack))
  }
  await withFolder(async (folder) => {
    for (const image of IMAGES) await writeFile(join(folder, image), new Uint8Array(DEVICE_SIZE))
    for (const [index, { volume }] of cases.entries()) {
      for (const [name, bytes] of volume.media) await writeFile(join(folder, `${index}-${name}`), bytes)
    }
    const printed = (await runInKernel(folder, `${cases.map(scriptOf).join("\n")}\ntrue\n`, IMAGES))
      .trim()
      .split("\n")
      .filter((line) => /^([0-9a-f]{64}|EIO|REFUSED)$/.test(line))
    const kernel = cases.map((each, index) => [each.name, outcomeOf(each, printed[index] ?? "")])
    expect(kernel).toEqual(cases.map(({ name, ours }) => [name, ours]))
    expect(cases.filter(({ ours }) => ours === "accepted: unharmed")).toHaveLength(4)
  })
})
