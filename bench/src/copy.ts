import { createHash } from "node:crypto"
import { closeSync, createReadStream, existsSync, openSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import type { Bench, BenchContext } from "./bench.ts"
import { createLuksVolume, type LuksVolume } from "./copy/luks-volume.ts"
import { type BenchRecord, OURS, recordOf } from "./harness/bench-record.ts"
import { runChild } from "./harness/child-process.ts"
import { childCpuClock, wallClock } from "./harness/clock.ts"
import { type Contestant, playRounds, type Rounds } from "./harness/paired-rounds.ts"
import { inScratchFolder } from "./harness/scratch-folder.ts"
import { findTool } from "./harness/tool.ts"

const MIB = 1024 * 1024
const MEMORY_FOLDER = "/dev/shm"
/** One object per sector takes seconds a copy. */
const NAIVE_ROUND_COUNT = 3
const SHARED = "two threads"
/** MiB that a copying process may hold: Node itself has about 45, and the copy's buffers are a few. */
const CHILD_MEMORY_MAX = 256

type Direction = "decrypt" | "encrypt"
const DIRECTIONS: readonly Direction[] = ["decrypt", "encrypt"]
const TITLES = { decrypt: "crypt volume to file", encrypt: "file to crypt volume" }

/**
 * Whole processes, from start to exit: `copyDevice` and what else copies an encrypted volume. The volume is LUKS1; it is
 * opened here with its key, and by qemu-img with its passphrase, for which 1000 iterations are next to nothing.
 */
export const copy: Bench = {
  name: "copy",
  question: "How long does a whole process take to copy a crypt volume to a file and back?",
  async *run(context) {
    const folder = existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir()
    const size = (context.pace.isSmall ? 8 : 512) * MIB
    yield* inScratchFolder(folder, async function* (scratch) {
      const volume = await createLuksVolume(scratch, size, findTool("cryptsetup"))
      for (const direction of DIRECTIONS) yield* measureCopy(context, volume, direction, size)
    })
  },
}

async function* measureCopy(
  { pace, memory, note }: BenchContext,
  volume: LuksVolume,
  direction: Direction,
  size: number,
): AsyncGenerator<BenchRecord> {
  const maxRss = new Map<string, number>()
  const program = (name: string): string => fileURLToPath(new URL(`./copy/${name}.js`, import.meta.url))
  const start = (script: string, args: readonly string[], name: string): Contestant => ({
    name,
    async run() {
      const kib = Number(await runChild(process.execPath, [program(script), ...args]))
      maxRss.set(name, Math.max(maxRss.get(name) ?? 0, kib / 1024))
    },
    ...(name === "naive" ? { roundCountMax: NAIVE_ROUND_COUNT } : {}),
  })
  const { keyPath, path, payloadStart, rawPath } = volume
  const args = [direction, keyPath, path, String(payloadStart), rawPath]
  const ours = start("stack-copy", args, OURS)
  const rival = qemuImg(volume, direction, note)
  const target = direction === "decrypt" ? { path: rawPath, start: 0 } : { path, start: payloadStart }
  if (rival !== undefined) await checkAgreement([ours, rival], target)
  const contestants = [
    ours,
    start("stack-copy", [...args, "2"], SHARED),
    start("cipher-copy", ["limit", ...args], "limit"),
    start("cipher-copy", ["naive", ...args], "naive"),
    ...(rival === undefined ? [] : [rival]),
  ]
  const cpuClock = childCpuClock()
  if (cpuClock === undefined) note("copy: CPU time: this system has no /proc")
  const clocks = [wallClock, ...(cpuClock === undefined ? [] : [cpuClock])]
  const [wall = new Map<string, number[]>(), cpu] = await playRounds(contestants, {
    pace: { ...pace, sliceCount: 1 },
    clocks,
    onSlice: memory.sample,
  })
  const title = `${TITLES[direction]}, ${size / MIB} MiB`
  const amount = size / MIB
  for (const name of [OURS, SHARED]) {
    const how = name === OURS ? title : `${title}, ${name}`
    yield recordOf({ bench: "copy", case: `${how}, wall`, unit: "MiB/s", amount }, roundsOf(name, wall))
    // Ten milliseconds are all that is told: of a small copy that is nothing.
    if (cpu !== undefined && !pace.isSmall) {
      yield recordOf({ bench: "copy", case: `${how}, CPU`, unit: "MiB/CPU-s", amount }, roundsOf(name, cpu))
    }
  }
  const held = maxRss.get(OURS) ?? 0
  note(`copy: ${title}: the copying process held ${held.toFixed(0)} MiB at most`)
  if (held > CHILD_MEMORY_MAX) throw new Error(`copy: held ${held.toFixed(0)} MiB, more than ${CHILD_MEMORY_MAX}`)
}

/** The rounds with one of our two ways as ours, and without the other. */
function roundsOf(name: string, rounds: Rounds): Rounds {
  const others = [...rounds].filter(([other]) => other !== OURS && other !== SHARED)
  return new Map([[OURS, rounds.get(name) ?? []], ...others])
}

/** `-n` writes into what exists: every round of everybody rewrites the same bytes in place. */
function qemuImg(volume: LuksVolume, direction: Direction, note: (text: string) => void): Contestant | undefined {
  const missing = ["qemu-img", "cryptsetup"].filter((name) => findTool(name) === undefined)
  const program = findTool("qemu-img")
  if (program === undefined || missing.length > 0) {
    note(`copy: qemu-img: not compared: ${missing.join(" and ")} not installed`)
    return undefined
  }
  const secret = ["--object", `secret,id=passphrase,file=${volume.passphrasePath}`]
  const image = `driver=luks,key-secret=passphrase,file.driver=file,file.filename=${volume.path}`
  const args =
    direction === "decrypt"
      ? ["convert", "-n", ...secret, "--image-opts", image, "-O", "raw", volume.rawPath]
      : ["convert", "-n", ...secret, "-f", "raw", "--target-image-opts", volume.rawPath, image]
  return { name: "qemu-img", run: async () => void (await runChild(program, args)) }
}

/** Each must leave the same bytes, whatever stood there before: whoever does less work wins nothing here. */
async function checkAgreement(
  contestants: readonly Contestant[],
  target: { path: string; start: number },
): Promise<void> {
  const digests = new Set<string>()
  for (const { run } of contestants) {
    const fd = openSync(target.path, "r+")
    writeSync(fd, new Uint8Array(MIB), 0, MIB, target.start)
    closeSync(fd)
    await run(1)
    digests.add(await digestOf(target.path))
  }
  if (digests.size > 1) throw new Error(`copy: ${contestants.map(({ name }) => name).join(" and ")} disagree`)
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256")
  for await (const chunk of createReadStream(path, { highWaterMark: MIB })) hash.update(chunk as Uint8Array)
  return hash.digest("hex")
}
