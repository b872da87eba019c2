import { copyFile, open, readFile, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { runInKernel } from "../oracle.ts"
import { type Case, type Outcome, POOL_SIZE, type Step, type StepOutcome } from "./case.ts"

const SCRIPT = "host perl /share/guest.pl"
/** `/dev/img0`, `1` and `2`: media with blocks of 512, what was read, media with blocks of 4096. */
const IMAGES = ["media", "results", "media4096,bs=4096"]
const SECTOR = 512

/** Where on an image something lies; bytes. */
interface Place {
  readonly image: 0 | 1 | 2
  readonly offset: number
  readonly length: number
}

interface PlacedCase {
  readonly each: Case
  readonly media: readonly Place[]
  /** One for each step that reads. */
  readonly results: readonly Place[]
}

/** Does the cases in one boot of Linux, in files in `folder`; the outcomes are in their order. */
export async function runInLinux(folder: string, cases: readonly Case[], pool: Uint8Array): Promise<Outcome[]> {
  if (pool.length !== POOL_SIZE) throw new RangeError("pool: expected POOL_SIZE bytes")
  const { placed, sizes } = place(cases)
  const paths = IMAGES.map((image) => join(folder, image.split(",", 1)[0]!))
  for (const [index, path] of paths.entries()) {
    await writeFile(path, "")
    await truncate(path, Math.max(sizes[index]!, 4096))
  }
  await writeMedia(paths, placed)
  await writeFile(join(folder, "pool"), pool)
  await writeFile(join(folder, "tasks"), placed.map(tasksOf).join(""))
  await copyFile(new URL("guest.pl", import.meta.url), join(folder, "guest.pl"))
  const answers = parseAnswers(await runInKernel(folder, SCRIPT, IMAGES))
  const images: Uint8Array[] = []
  for (const path of paths) images.push(await readFile(path))
  return placed.map((each) => outcomeOf(each, answers.get(each.each.index) ?? [], images))
}

function place(cases: readonly Case[]): { placed: PlacedCase[]; sizes: [number, number, number] } {
  const sizes: [number, number, number] = [0, 0, 0]
  const take = (image: Place["image"], length: number): Place => {
    const offset = sizes[image]
    sizes[image] += Math.ceil(length / 4096) * 4096
    return { image, offset, length }
  }
  const placed = cases.map((each) => ({
    each,
    media: each.media.map(({ blockSize, content }) => take(blockSize === 4096 ? 2 : 0, content.length)),
    results: each.steps.flatMap((step) => (step.kind === "read" ? [take(1, step.length)] : [])),
  }))
  return { placed, sizes }
}

async function writeMedia(paths: readonly string[], placed: readonly PlacedCase[]): Promise<void> {
  const files = await Promise.all(paths.map((path) => open(path, "r+")))
  for (const { each, media } of placed) {
    for (const [index, { image, offset }] of media.entries()) {
      await files[image]!.write(each.media[index]!.content, 0, undefined, offset)
    }
  }
  for (const file of files) await file.close()
}

function tasksOf({ each, media, results }: PlacedCase): string {
  const flags = each.isReadOnly ? "ro" : "rw"
  const left = [...results]
  const rows: (string | number)[][] = [
    ["case", each.index],
    ...(each.keys ?? []).map(({ type, description, bytes }) => ["key", type, description, hex(bytes)]),
    ...each.media.map(({ name }, index) => {
      const { image, offset, length } = media[index]!
      return ["slice", name, image, offset / SECTOR, length / SECTOR]
    }),
    ...(each.lowers ?? []).map(({ name, line }) => ["lower", "rw", name, line]),
    ["line", flags, each.line],
    ...each.steps.map((step) => requestOf(step, left)),
  ]
  return rows.map((row) => `${row.join("\t")}\n`).join("")
}

function requestOf(step: Step, results: Place[]): (string | number)[] {
  if (step.kind === "read") return ["read", step.offset, step.length, results.shift()!.offset]
  if (step.kind === "flush") return ["flush"]
  if (step.kind === "write") return ["write", step.offset, step.length, step.poolOffset]
  return [step.kind, step.offset, step.length]
}

type Answer = readonly [what: string, value: string]

function parseAnswers(output: string): Map<number, Answer[]> {
  const answers = new Map<number, Answer[]>()
  const rows = output.trimEnd().split("\n")
  if (rows.pop() !== "done") throw new Error(`the guest did not come to its end: ${output.slice(-2000)}`)
  for (const row of rows) {
    const [index, what = "", value = ""] = row.split("\t")
    const list = answers.get(Number(index)) ?? []
    list.push([what, value])
    answers.set(Number(index), list)
  }
  return answers
}

function outcomeOf(
  { each, media, results }: PlacedCase,
  answers: readonly Answer[],
  images: readonly Uint8Array[],
): Outcome {
  const bytesAt = ({ image, offset, length }: Place) => images[image]!.subarray(offset, offset + length)
  const value = (what: string) => answers.find(([name]) => name === what)?.[1]
  const verdict = value("line")
  if (verdict === undefined) throw new Error(`case ${each.index}: the guest says nothing about it`)
  const left = [...results]
  const steps = answers
    .filter(([what]) => ["read", "write", "zero", "discard", "flush"].includes(what))
    .map(([what, text]): StepOutcome => {
      if (what !== "read") return { kind: kindOf(Number(text)), detail: `errno ${text}` }
      const badOffsets = text === "" ? [] : text.split(",").map(Number)
      return { kind: "read", content: bytesAt(left.shift()!), badOffsets }
    })
  return {
    verdict: verdict === "0" ? "taken" : "refused",
    reason: verdict === "0" ? undefined : `errno ${verdict}`,
    printed: value("table"),
    geometry: value("geometry"),
    steps,
    media: media.map(bytesAt),
  }
}

/** EIO, EBADMSG, EILSEQ: the place; EPERM, EBADF, EROFS: the device; EOPNOTSUPP: the request. */
function kindOf(errno: number): Exclude<StepOutcome["kind"], "read"> {
  if (errno === 0) return "done"
  if ([5, 74, 84].includes(errno)) return "io"
  if ([1, 9, 30].includes(errno)) return "read-only"
  return errno === 95 ? "unsupported" : "other"
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex")
}
