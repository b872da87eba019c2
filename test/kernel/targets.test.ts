import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { BlockError } from "@blockstrata/device"
import { errorWord, linearWord, stripedWord, zeroWord } from "@blockstrata/targets"
import { beforeAll, describe, expect, test } from "vitest"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"
import { openOnImages, sha256sum } from "./two-images.ts"

const WORDS = [linearWord, stripedWord, zeroWord, errorWord]
const SECTOR_COUNTS = [2048, 4096]

/** Read and written in the kernel and here: the last device of each is the volume, and is called `x` there. */
const VOLUMES: readonly string[] = [
  "0 100 linear /dev/img0 37",
  "0 1998 striped 2 9 /dev/img0 0 /dev/img1 5",
  "0 2001 striped 3 1 /dev/img0 3 /dev/img1 0 /dev/img1 1000",
  "0 2000 striped 4 125 /dev/img0 0 /dev/img0 500 /dev/img1 7 /dev/img1 2000",
  "0 1536 striped 2 256 /dev/img0 11 /dev/img1 13",
  "0 630 striped 1 7 /dev/img1 100",
  "0 7 linear /dev/img0 5\n7 30 striped 2 3 /dev/img0 100 /dev/img1 200 # odd\n\n37 11 zero\n48 2 linear /dev/img1 0",
  "a,,,rw,0 900 striped 2 45 /dev/img0 0 /dev/img1 0;b,,,rw,0 300 linear /dev/mapper/a 7,300 300 linear /dev/img0 1000;x,,,rw,0 510 striped 3 17 /dev/mapper/a 400 /dev/mapper/b 1 /dev/mapper/b 200",
]

/** Only loaded, or refused. */
const LINES: readonly string[] = [
  "0 8 linear /dev/img0 010",
  "0 8 linear /dev/img0 2040",
  "0 8 error a b",
  "0 6 striped +2 +3 /dev/img0 0 /dev/img1 5",
  "0 6 striped 2 3 /dev/img0 2045 /dev/img1 5",
  "0 8 zero # x",
  "# c\n\n  0   8\tlinear\t/dev/img0   0 # comment\n  # other\n8 8 linear /dev/img0 16#more\n",
  "0 18014398509481984 zero",
  "0 8 linear /dev/img0",
  "0 8 linear /dev/img0 0 0",
  "0 8 linear /dev/img0 +0",
  "0 8 linear /dev/img0 0x8",
  "0 8 linear /dev/img0 8s",
  "0 8 linear /dev/img0 2041",
  "0 8 linear /dev/img0 18446744073709551608",
  "0 8 linear /dev/nothere 0",
  "0 0 linear /dev/img0 0",
  "1 8 linear /dev/img0 0",
  "0 0x8 linear /dev/img0 0",
  "0 -8 linear /dev/img0 0",
  "0 8",
  "0 8 nosuch /dev/img0 0",
  "0 8 LINEAR /dev/img0 0",
  "0 8 lin#ear /dev/img0 0",
  "0 8 zero\n9 8 zero",
  "0 8 zero\n7 8 zero",
  "8 8 zero\n0 8 zero",
  "0 8 zero a",
  "0 8 zero#x",
  "0 8 zero; 8 8 zero",
  "0 8 striped 2 8 /dev/img0 0 /dev/img1 0",
  "0 16 stripe 2 8 /dev/img0 0 /dev/img1 0",
  "0 6 striped 2 3 /dev/img0 0 /dev/img1",
  "0 6 striped 2 3 /dev/img0 0 /dev/img1 5 6",
  "0 6 striped 0 3 /dev/img0 0 /dev/img1 5",
  "0 6 striped 2 0 /dev/img0 0 /dev/img1 5",
  "0 6 striped -2 3 /dev/img0 0 /dev/img1 5",
  "0 6 striped 2 3 /dev/img0 +0 /dev/img1 5",
  "0 7 striped 2 3 /dev/img0 0 /dev/img1 5",
  "0 6 striped 4294967298 3 /dev/img0 0 /dev/img1 5",
  "0 6 striped 2 3 /dev/img0 2046 /dev/img1 5",
  "a,,,,0 8 zero",
  "a,u,5,ro,0 8 zero,8 8 error;",
  "a,,,,,0 8 zero,,8 8 zero",
  "a\\,b\\\\c\\;d,,,,0 8 zero # c,8 8 zero",
  "a,,,,0 8 zero;b,,,,0 8 linear /dev/mapper/a 0",
  "a,,,,0 8 linear /dev/mapper/b 0;b,,,,0 8 zero",
  "a,,,,0 8 zero;a,,,,0 8 zero",
  "a,U,,,0 8 zero;b,U,,,0 8 zero",
  "a,,7,,0 8 zero;b,,7,,0 8 zero",
  "a,,,rw",
  "a,,,rw,0 8 zero,",
  "a,,,rw,0 8 zero;;",
  "a,,,xx,0 8 zero",
  "a,,,ro ,0 8 zero",
  "a/b,,,,0 8 zero",
  "a,,,rw,0 8 zero\\",
]

// A table is lines for `dmsetup create`, or the concise form, by the rule of parseTable.
const SCRIPT = `
load() {
  if [[ $(grep -v '^ *\\(#\\|$\\)' "$1" | head -1) =~ ^\\ *[-0-9] ]]; then dmsetup create --noudevsync x < "$1"
  else dmsetup create --noudevsync --concise "$(cat "$1")"; fi 2>/dev/null
}
for ((index = 0; index < ${VOLUMES.length}; index += 1)); do
  cp /share/before0 /dev/img0; cp /share/before1 /dev/img1
  load /share/volume$index || { echo "volume$index|refused"; continue; }
  echo "volume$index|$(sha256sum < /dev/mapper/x)"
  dd if=/share/data of=/dev/mapper/x bs=512 count=$(blockdev --getsz /dev/mapper/x) conv=fsync status=none
  dmsetup remove_all --noudevsync
  blockdev --flushbufs /dev/img0; blockdev --flushbufs /dev/img1
  echo "written$index|$(sha256sum < /dev/img0)$(sha256sum < /dev/img1)"
done
for ((index = 0; index < ${LINES.length}; index += 1)); do
  if load /share/line$index; then echo "line$index|taken"; else echo "line$index|refused"; fi
  dmsetup remove_all --noudevsync
done
`

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + Math.floor(index / 512) * 13 + seed) % 251)
}

const data = pattern(2 * 1024 * 1024, 5)
const freshMedia = () => SECTOR_COUNTS.map((count, index) => pattern(count * 512, 100 * (index + 1)))

const open = (text: string, images: readonly Uint8Array[]) => openOnImages(text, WORDS, images)

async function askKernel(): Promise<Map<string, string>> {
  return await withFolder(async (folder) => {
    const named = (name: string, texts: readonly string[]) =>
      texts.map((text, index) => [`${name}${index}`, text] as const)
    for (const [name, text] of [...named("volume", VOLUMES), ...named("line", LINES)])
      await writeFile(join(folder, name), text)
    for (const [index, bytes] of freshMedia().entries()) {
      await writeFile(join(folder, `before${index}`), bytes)
      await writeFile(join(folder, `img${index}`), bytes)
    }
    await writeFile(join(folder, "data"), data)
    const output = await runInKernel(folder, SCRIPT, ["img0", "img1"])
    return new Map(output.split("\n").map((line) => line.split("|") as [string, string]))
  })
}

describe.skipIf(ORACLE === undefined)(`linear, striped, zero and error as in Linux (${ORACLE_NEEDS})`, () => {
  let kernel = new Map<string, string>()
  beforeAll(async () => {
    kernel = await askKernel()
  })

  test.each(VOLUMES.map((text, index) => [text, index] as const))("the same bytes: %s", async (text, index) => {
    const media = freshMedia()
    const volume = await open(text, media)
    const content = new Uint8Array(volume.size)
    await volume.read(0, content)
    expect(sha256sum(content)).toBe(kernel.get(`volume${index}`))
    await volume.write(0, data.subarray(0, volume.size))
    await volume.close()
    expect(media.map(sha256sum).join("")).toBe(kernel.get(`written${index}`))
  })

  test.each(LINES.map((text, index) => [text, index] as const))("the same verdict: %j", async (text, index) => {
    const verdict = open(text, freshMedia()).then(
      () => "taken",
      (error: unknown) => (error instanceof BlockError && error.code === "INVALID" ? "refused" : error),
    )
    expect(await verdict).toBe(kernel.get(`line${index}`))
  })
})
