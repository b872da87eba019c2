import type { AttackCell, AttackMatrix } from "@blockstrata/testkit"
import { NOTES, TARGETS } from "./promises.ts"

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
const WORDS: Readonly<Record<string, string>> = {
  chosen: "**chosen**",
  old: "**old**",
  noise: "**noise**",
  resized: "**size**",
  refused: "detected",
  unharmed: "no effect",
  "n/a": "–",
}
const UNDETECTED: Readonly<Record<string, string>> = {
  chosen: "what the attacker chose is read as good in",
  old: "old data are read as good in",
  noise: "noise is read as good in",
  resized: "a device of another size opens in",
}

/** `docs/guarantees.md`, from what the attacks found. */
export function guaranteesPage(matrix: AttackMatrix): string {
  return `${[
    INTRODUCTION,
    "## What each stack promises",
    table([["column", "stack", "promise"], ...TARGETS.map(({ name, stack, promise }) => [name, stack, promise])]),
    MATRIX,
    matrixTable(matrix),
    NOTES.map(({ text }, index) => `${superscript(index + 1)} ${text}`).join("\n\n"),
    `A dash is an attack that says nothing about a stack: ${reasons(matrix)}.`,
    "## What stays undetected",
    "The same cells, by stack. None of this is an accident of a run: a stack that detects more than this fails the tests too.",
    undetected(matrix),
    REST,
  ].join("\n\n")}\n`
}

function matrixTable({ attacks, stacks, cells }: AttackMatrix): string {
  const noted = NOTES.flatMap(({ cells: places }) => places)
  for (const place of noted) {
    if (!cells.some(({ attack, stack }) => place === `${attack} ${stack}`)) throw new RangeError(`no cell ${place}`)
  }
  const rows = attacks.map(({ id, name }) => [
    `${id} ${name}`,
    ...stacks.map((stack) => cellText(cellOf(cells, id, stack))),
  ])
  return table([["attack", ...stacks], ...rows])
}

/** The worst that can come out: that an attack may also be refused helps nobody. */
function cellText({ attack, stack, outcomes }: AttackCell): string {
  const [worst = ""] = outcomes.split("+")
  const numbers = NOTES.flatMap(({ cells }, index) => (cells.includes(`${attack} ${stack}`) ? [index + 1] : []))
  return `${WORDS[worst] ?? worst}${numbers.map(superscript).join(" ")}`
}

function undetected({ stacks, cells }: AttackMatrix): string {
  return stacks
    .map((stack) => {
      const parts = Object.entries(UNDETECTED).flatMap(([outcome, text]) => {
        const ids = cells
          .filter((cell) => cell.stack === stack && cell.outcomes.split("+").includes(outcome))
          .map(({ attack }) => attack)
        return ids.length === 0 ? [] : [`${text} ${ids.join(", ")}`]
      })
      return `- **${stack}**: ${parts.length === 0 ? "none of these" : parts.join("; ")}.`
    })
    .join("\n")
}

function reasons({ stacks, cells }: AttackMatrix): string {
  const given = new Set(cells.flatMap(({ reason }) => reason ?? []))
  return [...given]
    .map((reason) => `${reason} (${stacks.filter((stack) => hasReason(cells, stack, reason)).join(", ")})`)
    .join("; ")
}

function hasReason(cells: readonly AttackCell[], stack: string, reason: string): boolean {
  return cells.some((cell) => cell.stack === stack && cell.reason === reason)
}

function cellOf(cells: readonly AttackCell[], attack: string, stack: string): AttackCell {
  const cell = cells.find((each) => each.attack === attack && each.stack === stack)
  if (cell === undefined) throw new RangeError(`no cell ${attack} ${stack}`)
  return cell
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")
}

function superscript(number: number): string {
  return [...String(number)].map((digit) => SUPERSCRIPTS[Number(digit)]).join("")
}

const INTRODUCTION = `# Guarantees

What each stack detects and what it does not, as the attacks of \`@blockstrata/testkit\` find it in every test run. This page is
written by them: \`npx vitest run test/attacks -u\` rewrites it, and a test fails when it no longer says what is found.`

const MATRIX = `## The attacks

The attacker has the media between two openings of their owner, as often as wanted, knows every algorithm and everything
public, and may have other volumes of the same owner, with the same keys; in A18 the attacker is the medium itself. Keys, and what
a column says is kept elsewhere, are out of reach. In A2, A13 and A18 everything public is recomputed, and what has a key with another
one; blocks that are put back (A5, A7) go back with their tags and with their paths in a hash tree; A11 writes the edges of its range
into every field of a header. Each cell is the outcome of random volumes, ten in each run of the tests, 200 in the slow run:

- **detected**: whatever is wrong is answered with an error that says so, its buffer zeroed; what is read is right
- **no effect**: everything is read as the owner last wrote it
- **old**: what the owner wrote there at another time is read as good
- **chosen**: what the attacker put there is read as good
- **noise**: something that nobody wrote is read as good
- **size**: the device opens, and has another size`

const REST = `## Faults and crashes

The media of the tests, and of this statement: between two completed flushes any part of the writes may be on a medium, in any
order, each whole, not at all, or torn between its sectors; after a completed flush everything that had settled before it is
there. What is shown of it:

- Power that fails at any moment, requests under way included, leaves what was flushed, and of the rest each piece of
  \`features.atomicSize\` old or new (\`test/properties\`: random stacks of all targets, random requests, compared with
  [a model of the contract](testing-a-stack.md)).
- A flush reaches every medium under a stack that was written, and so do \`fua\` and \`close\` (the conformance suite, on every
  device and target).
- A crash that loses whatever was not flushed leaves each stack above usable, and as it was flushed (the first half of A14).
- dm-integrity without a journal is not atomic: a crash between a block and its tag leaves the block unreadable, an error and
  never wrong data, until it is written again. \`features.atomicSize\` is 0 and says so.
- In mode B recovery makes such a block readable: each of its sectors is old or new, and the tag vouches for what stands there
  (\`test/crash/bitmap.test.ts\`: no unreadable block in any crash state, recovery included).
- A block that does not read costs that block: the blocks around it do, and the error names it (the conformance suite).

## Where this library says more, or less, than Linux

Linux 6.1 is given the same media, attacked in the same ways, and the same lines (\`test/kernel/attacks.test.ts\`, the slow run). Asked
are all attacks but A8, A11 and A18; what Linux reads is the same in every cell, the old block on column A included, but for these:

- **A journal of noise** is refused here, \`CORRUPT\`, and left as it is. Linux fails every request, but clears the journal: the next opening
  is without what was flushed and not written back. So it does when \`journal_crypt\` is forgotten.
- **The flag for a dirty bitmap** (A13): Linux makes new tags over whatever stands there, keyed ones too, opened in mode J or in mode B. So
  nobody without the key can forge a tag, but anybody with the medium can have Linux do it. Here a keyed hash with that flag, or in mode B
  at all, is \`REFUSED\` unless \`allowUnauthenticatedRecovery\` is said, as it is on HB and not on H. On A the same flag crashes Linux
  6.1 (an oops as the device resumes), so that cell is not asked.

Beside these:

- **Mode R** of dm-integrity checks nothing, here as in Linux. It is there to get at a damaged volume; what it reads is evidence of nothing.
- **Tags of GCM** are whole, 16 bytes: a line that asks for a part of one, which Linux takes, is \`UNSUPPORTED\`.

## What is not built, and so not in the matrix

- A writable volume that detects old states (with or without an anchor). Until there is one, A5, A6, A7 and A14 to A16 stay
  undetected on everything that can be written.
- A17, late or repeated messages to an anchor: there is no anchor. A19 is as far as it goes: the root hash of a verity image.
- LUKS headers, and with them the downgrades of a header that holds cipher and key slots.

What an observer learns without changing anything is on [a page of its own](leakage.md).`
