import { memoryDevice } from "@blockstrata/device"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { describe, expect, it } from "vitest"
import { closedVector } from "../../../test/closed-vector.ts"
import { listVectors, loadSharedVectors, loadVector, sha256, type Vector } from "../../../test/vector.ts"
import { checkIntegrity } from "./check-integrity.ts"
import { inspectIntegrity } from "./inspect-integrity.ts"
import { replayJournal } from "./replay-journal.ts"

const shared = loadSharedVectors()
const vectors: readonly Vector[] = (shared.length > 0 ? shared : listVectors().map(loadVector)).filter(({ name }) =>
  name.startsWith("integrity-dirty-journal"),
)

/** The places of all bytes that differ, as runs of 512 bytes. */
function changedSectors(before: Uint8Array, after: Uint8Array): Set<number> {
  const changed = new Set<number>()
  for (let at = 0; at < before.length; at++) if (before[at] !== after[at]) changed.add(Math.floor(at / 512))
  return changed
}

describe.each([nodeEngine, portableEngine])("a journal that Linux left, on the $name engine", (engine) => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))("%s", async (_name, vector) => {
    const image = vector.image("disk.img")
    const before = image.slice()
    const all = { blocksMax: Number.POSITIVE_INFINITY, engine }
    const planned = await replayJournal({ ...closedVector(vector, image, true), ...all, dryRun: true })
    expect(Buffer.compare(image, before)).toBe(0)
    const done = await replayJournal({ ...closedVector(vector, image), ...all })
    expect(done).toEqual({ ...planned, hasWritten: planned.blockCount > 0 || planned.cleared !== undefined })

    // Every changed byte is in a place that was named, and in each of them stands what was said.
    const places = [...planned.blocks.flatMap((block) => block.places), ...(planned.cleared ? [planned.cleared] : [])]
    const named = new Uint8Array(image.length)
    for (const { offset, length } of places) named.fill(1, offset, offset + length)
    expect([...image.keys()].filter((at) => image[at] !== before[at] && named[at] === 0)).toEqual([])
    for (const {
      places: [data, tag],
      ...block
    } of planned.blocks) {
      expect(sha256(image.subarray(data!.offset, data!.offset + data!.length))).toBe(block.sha256)
      expect(Buffer.from(image.subarray(tag!.offset, tag!.offset + tag!.length)).toString("hex")).toBe(block.tag)
    }

    // Outside of the journal that is what the kernel's own recovery left.
    const recovered = vector.image("recovered.img")
    const journal = (await inspectIntegrity(memoryDevice({ bytes: image }))).layout!.journal
    const end = journal.offset + journal.sectionCount * journal.sectionBytes
    const differing = [...changedSectors(image, recovered)].filter((sector) => sector * 512 >= end || sector < 8)
    expect(differing).toEqual([])
    const again = await replayJournal({ ...closedVector(vector, image), ...all })
    expect(again).toMatchObject({ hasWritten: false, blockCount: 0, sections: [], findings: [] })
    expect(await checkIntegrity({ ...closedVector(vector, image, true), engine })).toMatchObject({ damageCount: 0 })
  })
})

it.each(vectors.map((vector) => [vector.name, vector] as const))(
  "%s: what its journal holds",
  async (_name, vector) => {
    const image = vector.image("disk.img")
    const volume = closedVector(vector, image, true)
    const planned = await replayJournal({ ...volume, blocksMax: Number.POSITIVE_INFINITY, dryRun: true })
    const { journalContents, findings } = await inspectIntegrity(volume.lower, 0, volume)
    expect(findings.filter(({ severity }) => severity === "damage")).toEqual([])
    expect(journalContents).toMatchObject({ replayedBlockCount: planned.blockCount, refusal: undefined })
    const entries = [...journalContents!.entries()]
    const newest = entries.filter(({ isNewest }) => isNewest)
    const key = ({ sectionIndex, slot, offset }: (typeof planned.blocks)[number] | (typeof newest)[number]) =>
      `${sectionIndex} ${slot} ${offset}`
    expect(newest.map(key).sort()).toEqual(planned.blocks.map(key).sort())
    expect(new Set(newest.map(({ offset }) => offset)).size).toBe(newest.length)
    expect(newest.every(({ state }) => state === "sound")).toBe(true)
    const isReplayed = (index: number) => journalContents!.sections[index]!.isReplayed
    expect(entries.filter(({ sectionIndex }) => isReplayed(sectionIndex)).length).toBe(
      planned.blockCount + planned.supersededCount + planned.beyondCount,
    )
    expect(await checkIntegrity(volume)).toMatchObject({ damageCount: 0 })
  },
)

it("there are such volumes", () => expect(vectors.length).toBeGreaterThanOrEqual(2))
