import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { memoryDevice } from "@blockstrata/device"
import { checkIntegrity, inspectIntegrity, openIntegrity, repairIntegrity, replayJournal } from "@blockstrata/integrity"
import { expect, test } from "vitest"
import { closedVector } from "../closed-vector.ts"
import { listVectors, loadSharedVectors, loadVector, sha256, type Vector } from "../vector.ts"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"

const shared = loadSharedVectors()
const vectors: readonly Vector[] = (shared.length > 0 ? shared : listVectors().map(loadVector)).filter(
  ({ name }) => name.startsWith("integrity-dirty-journal") && !name.endsWith("uncommitted"),
)

/** Lines that open each image, read all of it and close it; one line of output each. */
function script(lines: readonly string[]): string {
  const commands = lines.map((line, index) => {
    const table = line.replace(/img:\S+/g, `/dev/img${index}`)
    return `dmsetup create v --table '${table}'
dd if=/dev/mapper/v bs=64k status=none | sha256sum | cut -c1-64
dmsetup remove v`
  })
  return `set -e\n${commands.join("\n")}\n`
}

test.skipIf(!ORACLE)(
  `what the doctor replayed Linux opens, reads as its own recovery, and leaves sound (${ORACLE_NEEDS})`,
  async () => {
    await withFolder(async (folder) => {
      const images = vectors.map((_, index) => `v${index}.img`)
      for (const [index, vector] of vectors.entries()) {
        const bytes = vector.image("disk.img")
        const { blockCount } = await replayJournal(closedVector(vector, bytes))
        expect(blockCount).toBeGreaterThan(0)
        await writeFile(join(folder, images[index]!), bytes)
      }
      const printed = await runInKernel(folder, script(vectors.map(({ stack }) => stack[0]!.line)), images)
      expect(printed.trim().split("\n")).toEqual(vectors.map(({ manifest }) => manifest.expect.sha256_after_recovery))
      for (const [index, vector] of vectors.entries()) {
        const bytes = new Uint8Array(await readFile(join(folder, images[index]!)))
        expect(await checkIntegrity(closedVector(vector, bytes))).toMatchObject({ findingCount: 0 })
      }
    })
  },
)

test.skipIf(!ORACLE)(
  `a journal that was given up, and tags that were made anew, Linux takes (${ORACLE_NEEDS})`,
  async () => {
    await withFolder(async (folder) => {
      const images = vectors.map((_, index) => `v${index}.img`)
      const contents: string[] = []
      for (const [index, vector] of vectors.entries()) {
        const bytes = vector.image("disk.img")
        const { layout } = await inspectIntegrity(memoryDevice({ bytes }))
        bytes[layout!.journal.offset + 511]! ^= 1
        bytes[layout!.firstAreaOffset + layout!.tagRunBytes + 1000]! ^= 1
        const repaired = await repairIntegrity({
          ...closedVector(vector, bytes),
          trustData: true,
          discardJournal: true,
        })
        expect(repaired).toMatchObject({ journal: "cleared", blockCount: 1 })
        await writeFile(join(folder, images[index]!), bytes)
        const size = layout!.providedBytes
        const device = await openIntegrity({ ...closedVector(vector, bytes, true), size, mode: "J", readOnly: true })
        const content = new Uint8Array(size)
        await device.read(0, content)
        await device.close()
        contents.push(sha256(content))
      }
      const printed = await runInKernel(folder, script(vectors.map(({ stack }) => stack[0]!.line)), images)
      expect(printed.trim().split("\n")).toEqual(contents)
    })
  },
)
