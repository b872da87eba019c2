import { createHash } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type BlockDevice, BlockError, memoryDevice } from "@blockstrata/device"
import { openTable, parseTable } from "@blockstrata/mapper"
import { dustWord, flakeyWord, sendMessage } from "@blockstrata/targets/faults"
import { beforeAll, describe, expect, test } from "vitest"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"

const SIZE = 1024 * 1024
const DOWN = "0 2048 flakey /dev/img0 0 0 1"

/**
 * Tables, and what is done to each: `r SECTOR COUNT` and `w SECTOR COUNT VALUE`, `d` a discard, `f` a flush, `a` a FUA write and
 * a flush, `m` a message. Reads of a corrupted byte are not among them: Linux 6.1 corrupts none, whatever it documents.
 */
const SCENES: readonly (readonly [table: string, ...steps: string[]])[] = [
  [DOWN, "r 0 8", "w 0 8 1", "f", "d 0 8", "a 0 1 1"],
  ["0 2048 flakey /dev/img0 0 1000000 1", "w 0 8 1", "r 0 16", "f", "d 0 8", "r 0 16"],
  [`${DOWN} 1 drop_writes`, "w 0 8 1", "f", "d 0 8", "a 0 1 1", "r 0 8"],
  [`${DOWN} 1 error_writes`, "w 0 8 1", "f", "d 0 8", "a 0 1 1", "r 0 8"],
  [`${DOWN} 5 corrupt_bio_byte 3 w 65 0`, "w 0 8 1", "r 0 16", "f", "a 8 1 2", "r 0 16", "d 0 8", "r 0 16"],
  [`${DOWN} 5 corrupt_bio_byte 4097 w 65 0`, "w 0 8 1", "r 0 16", "w 16 9 2", "r 0 32"],
  [`${DOWN} 5 corrupt_bio_byte 512 w 255 1`, "w 0 1 1", "r 0 1", "w 16 9 2", "r 0 32"],
  [`${DOWN} 5 corrupt_bio_byte 1 w 9 131072`, "w 0 1 1", "r 0 1", "a 16 9 2", "r 0 32"],
  [`${DOWN} 6 drop_writes corrupt_bio_byte 4097 r 65 0`, "w 0 8 1", "r 0 8", "f"],
  [
    "0 2048 dust /dev/img0 0 4096",
    ...["m addbadblock 2", "m addbadblock 3", "m addbadblock 5 2", "r 0 64", "m enable", "r 0 64", "r 16 1", "r 31 1"],
    ...[
      "r 32 8",
      "r 8 8",
      "r 15 2",
      "w 17 1 1",
      "r 16 8",
      "r 24 8",
      "m listbadblocks",
      "w 40 8 2",
      "w 32 24 3",
      "r 32 8",
    ],
    ...[
      "r 48 8",
      "m countbadblocks",
      "w 32 24 4",
      "m countbadblocks",
      "r 0 64",
      "m addbadblock 9",
      "m disable",
      "w 72 8 5",
    ],
    ...[
      "m countbadblocks",
      "m enable",
      "m queryblock 9",
      "d 72 8",
      "m queryblock 9",
      "m addbadblock 256",
      "m addbadblock 257",
    ],
    ...[
      "m quiet",
      "m removebadblock 9",
      "m clearbadblocks",
      "m clearbadblocks",
      "m listbadblocks",
      "m nosuch",
      "m enable 1",
    ],
    ...[
      "m ADDBADBLOCK 7",
      "m addbadblock 7",
      "m addbadblock 0x8",
      "m addbadblock 8 256",
      "m addbadblock +8",
      "m queryblock 7",
    ],
    ...["m addbadblock 20", "m addbadblock 21", "d 160 16", "m queryblock 20", "m queryblock 21"],
  ],
  [
    "0 2041 dust /dev/img0 7 4096",
    ...["m addbadblock 1", "m enable", "r 0 1", "r 1 1", "r 0 8", "r 8 1", "r 8 8", "r 9 1", "w 2 1 1", "r 0 16"],
  ],
]

const SCRIPT = `
req() {
  case $1 in
    r) if dd if=/dev/mapper/x of=/tmp/out bs=$((512 * $3)) count=1 iflag=direct,skip_bytes skip=$((512 * $2)) 2>/dev/null
       then sha256sum < /tmp/out | cut -c1-16; else echo fails; fi ;;
    w|a) tr '\\0' "\\\\$4" < /dev/zero | head -c $((512 * $3)) > /tmp/in
       if [ $1 = a ]; then flags=direct,seek_bytes,dsync; else flags=direct,seek_bytes; fi
       dd if=/tmp/in of=/dev/mapper/x bs=$((512 * $3)) count=1 oflag=$flags seek=$((512 * $2)) conv=notrunc 2>/dev/null && echo done || echo fails ;;
    d) blkdiscard -o $((512 * $2)) -l $((512 * $3)) /dev/mapper/x 2>/dev/null && echo done || echo fails ;;
    f) dd if=/dev/null of=/dev/mapper/x conv=fsync,notrunc count=0 2>/dev/null && echo done || echo fails ;;
    m) shift; if out=$(dmsetup message x 0 "$@" 2>/dev/null); then echo "done" $out; else echo fails; fi ;;
  esac
}
while IFS= read -r line; do
  case $line in
    0*) [ -e /dev/mapper/x ] && dmsetup remove --noudevsync x
        dd if=/share/before of=/dev/img0 bs=64k conv=fsync status=none; blockdev --flushbufs /dev/img0
        dmsetup create --noudevsync x --table "$line" ;;
    *) echo "answer $(req $line)" ;;
  esac
done < /share/scenes
`

const before = Uint8Array.from({ length: SIZE }, (_, index) => (index * 7 + Math.floor(index / 512)) % 251)

/** What a step gives here, in the words of the script. */
async function request(device: BlockDevice, step: string): Promise<string> {
  const [kind = "", ...words] = step.split(" ")
  const [offset, length] = [Number(words[0]) * 512, Number(words[1]) * 512]
  try {
    if (kind === "m") return `done ${(await sendMessage(device, words.join(" "))).replaceAll("\n", " ")}`.trimEnd()
    if (kind === "r") {
      const buffer = new Uint8Array(length)
      await device.read(offset, buffer)
      return createHash("sha256").update(buffer).digest("hex").slice(0, 16)
    }
    if (kind === "d") await device.discard(offset, length)
    if (kind === "w" || kind === "a") {
      await device.write(offset, new Uint8Array(length).fill(Number(words[2])), { fua: kind === "a" })
    }
    if (kind === "f" || kind === "a") await device.flush()
    return "done"
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    return "fails"
  }
}

describe.skipIf(ORACLE === undefined)(`requests as in Linux (${ORACLE_NEEDS})`, () => {
  let answers: readonly string[] = []
  beforeAll(async () => {
    answers = await withFolder(async (folder) => {
      await writeFile(join(folder, "before"), before)
      await writeFile(join(folder, "img0"), before)
      await writeFile(join(folder, "scenes"), SCENES.flat().join("\n").concat("\n"))
      const output = await runInKernel(folder, SCRIPT, ["img0"], "uml")
      return output.split("\n").flatMap((line) => (line.startsWith("answer ") ? [line.slice("answer ".length)] : []))
    })
  })

  test("of each scene, step by step", async () => {
    expect(answers).toHaveLength(SCENES.flat().length - SCENES.length)
    let next = 0
    for (const [table, ...steps] of SCENES) {
      const { device } = await openTable(parseTable(table, [dustWord, flakeyWord]), {
        openOperand: async () => memoryDevice({ bytes: new Uint8Array(before) }),
      })
      for (const [index, step] of steps.entries()) {
        const place = `${table}: ${index}: ${step}: `
        expect(place + (await request(device, step))).toBe(place + answers[next])
        next += 1
      }
    }
  })
})
