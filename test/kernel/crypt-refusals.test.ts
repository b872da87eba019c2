import { truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { cryptWord } from "@blockstrata/crypt"
import { describe, expect, test } from "vitest"
import {
  ACCEPTED_LINES,
  type CryptLineCase,
  INVALID_LINES,
  KEYRING,
  NEWER_LINES,
  REFUSED_LINES,
  UNSUPPORTED_LINES,
} from "./crypt-lines.ts"
import { ORACLE, ORACLE_NEEDS, runInKernel, withFolder } from "./oracle.ts"

/** Sorted by device, so that each tag store is made once. */
const CASES = [...ACCEPTED_LINES, ...INVALID_LINES, ...UNSUPPORTED_LINES, ...REFUSED_LINES, ...NEWER_LINES].sort(
  (left, right) => (deviceOf(left) < deviceOf(right) ? -1 : 1),
)

function deviceOf({ args }: CryptLineCase): string {
  return args[3] ?? "D"
}

const KEYS = KEYRING.map(([type, name, size]) => `["${type}", "${name}", ${size}]`).join(", ")
// add_key(2) into the session's keyring.
const ADD_KEYS = `for ((${KEYS})) { my ($t, $n, $s) = @$_; my $k = "k" x $s; syscall(248, $t, $n, $k, $s, -5) > 0 or die }`

// Prints "index|0|line as the kernel has it" or "index|1|".
const SCRIPT = `
host perl -e '${ADD_KEYS}' || exit 1
made=
while IFS= read -r task; do
  index=\${task%%|*}; rest=\${task#*|}; device=\${rest%%|*}; line=\${rest#*|}
  if [[ $device =~ ^T([0-9]+)(/([0-9]+))?$ && $device != "$made" ]]; then
    [ -n "$made" ] && dmsetup remove --noudevsync tags
    dd if=/dev/zero of=/dev/img1 bs=4096 count=1 status=none
    dmsetup create tags --table "0 128 integrity /dev/img1 0 \${BASH_REMATCH[1]} D 1 block_size:\${BASH_REMATCH[3]:-512}" || exit 1
    made=$device
  fi
  if dmsetup create --noudevsync probe --table "$line" 2>/dev/null; then
    echo "$index|0|$(dmsetup table --showkeys probe)"; dmsetup remove --noudevsync probe || exit 1
  else
    echo "$index|1|"
  fi
done < /share/lines
`

interface Verdict {
  readonly isAccepted: boolean
  readonly printed: string
}

async function askKernel(): Promise<Map<string, Verdict>> {
  return await withFolder(async (folder) => {
    const tasks = CASES.map((line, index) => {
      const path = deviceOf(line) === "D" ? "/dev/img0" : "/dev/mapper/tags"
      const args = line.args.map((word, at) => (at === 3 ? path : word))
      return `${index}|${deviceOf(line)}|0 ${line.sizeSectors} crypt ${args.join(" ")}\n`
    })
    await writeFile(join(folder, "lines"), tasks.join(""))
    for (const image of ["disk", "tags"]) {
      await writeFile(join(folder, image), "")
      await truncate(join(folder, image), 8 * 1024 * 1024)
    }
    const verdicts = new Map<string, Verdict>()
    for (const row of (await runInKernel(folder, SCRIPT, ["disk", "tags"])).split("\n")) {
      const [index, status, printed = ""] = row.split("|")
      const line = CASES[Number(index)]
      if (status !== undefined && line) verdicts.set(line.name, { isAccepted: status === "0", printed })
    }
    return verdicts
  })
}

describe.skipIf(ORACLE === undefined)(`crypt lines in Linux 6.1 (${ORACLE_NEEDS})`, () => {
  test("refused lines are refused, the others taken, and printed as here", { timeout: 600_000 }, async () => {
    const verdicts = await askKernel()
    expect(verdicts.size).toBe(CASES.length)
    const names = (cases: readonly CryptLineCase[], isAccepted: boolean) =>
      cases.filter((line) => verdicts.get(line.name)?.isAccepted !== isAccepted).map((line) => line.name)
    expect(names([...INVALID_LINES, ...NEWER_LINES], false)).toEqual([])
    expect(names([...ACCEPTED_LINES, ...UNSUPPORTED_LINES, ...REFUSED_LINES], true)).toEqual([])
    for (const line of ACCEPTED_LINES) {
      const words = (verdicts.get(line.name)?.printed ?? "").split(" ").slice(3)
      const parsed = cryptWord.parse(line.args, line.sizeSectors * 512)
      expect(words.with(3, deviceOf(line)).join(" "), line.name).toBe(
        cryptWord.print(parsed, { showKeys: true }).join(" "),
      )
    }
  })
})
