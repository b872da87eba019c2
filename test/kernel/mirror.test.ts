import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { BlockError } from "@blockstrata/device"
import { parseTable, printTable } from "@blockstrata/mapper"
import { mirrorWord } from "@blockstrata/targets"
import { seededRandom } from "@blockstrata/testkit"
import { beforeAll, describe, expect, inject, test } from "vitest"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"
import { openOnImages, sha256sum } from "./two-images.ts"

const SIZE = 2 * 1024 * 1024
const random = seededRandom(inject("seed"), "mirrors")

/** Legs that differ, with and without a copy, at the same and at other places. */
const VOLUMES: readonly string[] = [
  "0 2000 mirror core 2 64 nosync 2 /dev/img0 7 /dev/img1 9",
  "0 2000 mirror core 1 64 2 /dev/img0 0 /dev/img1 0",
  "0 1999 mirror core 2 1024 sync 2 /dev/img1 2000 /dev/img0 0 1 handle_errors",
  "0 1000 mirror core 1 2 4 /dev/img0 0 /dev/img1 0 /dev/img0 2000 /dev/img1 2000",
  "0 1000 mirror core 2 8 nosync 3 /dev/img1 0 /dev/img0 0 /dev/img1 2000 2 handle_errors keep_log",
  "0 1001 mirror core 1 512 9 /dev/img1 5 /dev/img0 0 /dev/img0 1010 /dev/img0 2020 /dev/img0 3030 /dev/img0 0 /dev/img1 1010 /dev/img1 2020 /dev/img1 3030",
]

/** Only loaded, or refused. */
const LINES: readonly string[] = [
  "core 1 8 2 A B",
  "core 02 08 sync 02 A B",
  "core 2 8 nosync 2 A B",
  "core 2 8 blah 2 A B",
  "core 2 8 NOSYNC 2 A B",
  "core 0 2 A B",
  "core 3 8 nosync x 2 A B",
  "core +1 8 2 A B",
  "core x 8 2 A B",
  "core 1 +8 2 A B",
  "core 1 1 2 A B",
  "core 1 2 2 A B",
  "core 1 3 2 A B",
  "core 1 64 2 A B",
  "core 1 128 2 A B",
  "core 1 8 0",
  "core 1 8 1 A",
  "core 1 8 +2 A B",
  "core 1 8 3 A B A",
  "core 1 8 9 A B A B A B A B A",
  "core 1 8 10 A B A B A B A B A B",
  "core 1 8 2 A",
  "core 1 8 2 A A",
  "core 1 8 2 A /dev/img1",
  "core 1 8 2 A /dev/img1 +3",
  "core 1 8 2 A /dev/img1 4032",
  "core 1 8 2 A /dev/img1 4033",
  "core 1 8 2 A /dev/nothere 0",
  "core 1 8 2 A B 0",
  "core 1 8 2 A B x",
  "core 1 8 2 A B 01 handle_errors",
  "core 1 8 2 A B 1 foo",
  "core 1 8 2 A B 1 keep_log",
  "core 1 8 2 A B 2 keep_log handle_errors",
  "core 1 8 2 A B 2 handle_errors handle_errors",
  "core 1 8 2 A B 2 handle_errors",
  "core 1 8 2 A B 1 handle_errors extra",
  "nolog 1 8 2 A B",
  "core",
  "core 1",
  "",
].map((args) => `0 64 mirror ${args}`.replaceAll("A", "/dev/img0 0").replaceAll("B", "/dev/img1 0"))

// The second half is written, the first is as opening left it: directly, or the page where they meet is read and written. Status counts a region before its last write has settled.
const SCRIPT = `
modprobe dm-mirror
settle() {
  for ((turn = 0; turn < 400; turn += 1)); do
    [[ $(dmsetup status x) =~ \\ ([0-9]+)/([0-9]+)\\  ]] && ((BASH_REMATCH[1] == BASH_REMATCH[2])) && { sleep 0.2; return; }
    sleep 0.05
  done
  echo "never in sync"
}
for ((index = 0; index < ${VOLUMES.length}; index += 1)); do
  cp /share/before0 /dev/img0; cp /share/before1 /dev/img1
  dmsetup create --noudevsync x < /share/volume$index || { echo "volume$index|refused"; continue; }
  settle
  echo "volume$index|$(sha256sum < /dev/mapper/x)"
  half=$(($(blockdev --getsz /dev/mapper/x) / 2))
  dd if=/share/data of=/dev/mapper/x bs=512 seek=$half count=$half oflag=direct conv=fsync status=none
  dmsetup remove_all --noudevsync
  blockdev --flushbufs /dev/img0; blockdev --flushbufs /dev/img1
  echo "written$index|$(sha256sum < /dev/img0)$(sha256sum < /dev/img1)"
done
for ((index = 0; index < ${LINES.length}; index += 1)); do
  if dmsetup create --noudevsync x < /share/line$index 2>/dev/null
  then echo "line$index|$(dmsetup table x | sed "s=98:0 =/dev/img0 =g; s=98:16 =/dev/img1 =g")"
  else echo "line$index|refused"; fi
  dmsetup remove_all --noudevsync
done
`

const data = random.bytes(SIZE)
const before = [random.bytes(SIZE), random.bytes(SIZE)]

const open = (text: string, images: readonly Uint8Array[]) => openOnImages(text, [mirrorWord], images)

async function askKernel(): Promise<Map<string, string>> {
  return await withFolder(async (folder) => {
    for (const [index, text] of VOLUMES.entries()) await writeFile(join(folder, `volume${index}`), text)
    for (const [index, text] of LINES.entries()) await writeFile(join(folder, `line${index}`), text)
    for (const [index, bytes] of before.entries()) {
      await writeFile(join(folder, `before${index}`), bytes)
      await writeFile(join(folder, `img${index}`), bytes)
    }
    await writeFile(join(folder, "data"), data)
    const output = await runInKernel(folder, SCRIPT, ["img0", "img1"], "uml")
    return new Map(output.split("\n").map((line) => line.split("|") as [string, string]))
  })
}

describe.skipIf(ORACLE === undefined)(`mirror as in Linux (${ORACLE_NEEDS})`, () => {
  let kernel = new Map<string, string>()
  beforeAll(async () => {
    kernel = await askKernel()
  })

  test.each(VOLUMES.map((text, index) => [text, index] as const))(
    "the same bytes on all legs: %s",
    async (text, index) => {
      const media = before.map((bytes) => new Uint8Array(bytes))
      const volume = await open(text, media)
      const content = new Uint8Array(volume.size)
      await volume.read(0, content)
      expect(sha256sum(content)).toBe(kernel.get(`volume${index}`))
      const half = Math.floor(volume.size / 512 / 2) * 512
      await volume.write(half, data.subarray(0, half))
      await volume.close()
      expect(media.map(sha256sum).join("")).toBe(kernel.get(`written${index}`))
    },
  )

  test.each(LINES.map((text, index) => [text, index] as const))("the same verdict: %j", async (text, index) => {
    const verdict = open(
      text,
      before.map((bytes) => new Uint8Array(bytes)),
    ).then(
      () => printTable(parseTable(text, [mirrorWord]), { showKeys: false, form: "lines" }).trimEnd(),
      (error: unknown) => (error instanceof BlockError && error.code === "INVALID" ? "refused" : error),
    )
    expect(await verdict).toBe(kernel.get(`line${index}`))
  })
})
