import { closeSync, existsSync, ftruncateSync, openSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { formatIntegrity, openFile, openIntegrity } from "blockstrata"
import type { Bench, BenchContext } from "./bench.ts"
import { type BenchRecord, OURS, recordOf } from "./harness/bench-record.ts"
import { runChild } from "./harness/child-process.ts"
import { wallClock } from "./harness/clock.ts"
import { type Contestant, playRounds } from "./harness/paired-rounds.ts"
import { inScratchFolder } from "./harness/scratch-folder.ts"
import { findTool } from "./harness/tool.ts"

const MIB = 1024 * 1024
const MEMORY_FOLDER = "/dev/shm"
const BLOCK_SIZE = 4096
/** MiB that a check may hold beyond what the command holds when it does nothing. */
const GROWTH_MAX = 100
/** Said by the process itself when it ends: `strata` has nothing to say of a sound volume. */
const PRINT_MEMORY = "data:text/javascript,process.on('exit',()=>console.log(process.resourceUsage().maxRSS))"

/** Whole processes, from start to exit: `strata integrity check` of a sound volume against hashing the same file. */
export const integrityCheck: Bench = {
  name: "integrity-check",
  question: "How long does it take to check a whole dm-integrity volume that nobody has open?",
  async *run(context) {
    const strata = strataProgram()
    if (strata === undefined) return context.note("integrity-check: not measured: strata is not installed")
    const folder = existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir()
    yield* inScratchFolder(folder, async function* (scratch) {
      yield await measureCheck(context, strata, join(scratch, "volume.img"))
    })
  },
}

async function measureCheck({ pace, memory, note }: BenchContext, strata: string, path: string): Promise<BenchRecord> {
  const size = (pace.isSmall ? 8 : 1024) * MIB
  await writeVolume(path, size)
  const node = async (...args: readonly string[]) =>
    Number(await runChild(process.execPath, ["--import", PRINT_MEMORY, ...args])) / 1024
  const program = fileURLToPath(new URL("./integrity-check/file-hash.js", import.meta.url))
  const idle = await runIdle(strata)
  let held = 0
  const openssl = findTool("openssl")
  if (openssl === undefined) note("integrity-check: openssl: not compared: openssl is not installed")
  const contestants: Contestant[] = [
    {
      name: OURS,
      async run() {
        held = Math.max(held, await node(strata, "integrity", "check", "--integrity", "sha256", path))
      },
    },
    { name: "limit", run: async () => void (await runChild(process.execPath, [program, path, String(MIB)])) },
    { name: "naive", run: async () => void (await runChild(process.execPath, [program, path, String(BLOCK_SIZE)])) },
    ...(openssl === undefined
      ? []
      : [{ name: "openssl", run: async () => void (await runChild(openssl, ["dgst", "-sha256", path])) }]),
  ]
  const [wall = new Map<string, number[]>()] = await playRounds(contestants, {
    pace: { ...pace, sliceCount: 1 },
    clocks: [wallClock],
    onSlice: memory.sample,
  })
  note(`integrity-check: held ${held.toFixed(0)} MiB, ${(held - idle).toFixed(0)} more than strata that does nothing`)
  if (held - idle > GROWTH_MAX) throw new Error(`integrity-check: grew by ${(held - idle).toFixed(0)} MiB`)
  const title = `sha256, blocks of 4 KiB, ${size / MIB} MiB, wall`
  return recordOf({ bench: "integrity-check", case: title, unit: "MiB/s", amount: size / MIB }, wall)
}

/** MiB that `strata` holds which only tells its version. */
async function runIdle(strata: string): Promise<number> {
  const output = await runChild(process.execPath, ["--import", PRINT_MEMORY, strata, "--version"])
  return Number(output.trim().split("\n").at(-1)) / 1024
}

/** The built command, where it stands beside this package. */
function strataProgram(): string | undefined {
  try {
    return fileURLToPath(import.meta.resolve("@blockstrata/cli/main"))
  } catch {
    return undefined
  }
}

/** A sound volume in a file of `size` bytes. */
async function writeVolume(path: string, size: number): Promise<void> {
  const fd = openSync(path, "w")
  ftruncateSync(fd, size)
  closeSync(fd)
  const internalHash = { name: "sha256" } as const
  const format = { tagSize: 32, blockSize: BLOCK_SIZE, internalHash, wipe: false, mode: "D" } as const
  const lower = await openFile(path, { readOnly: false })
  const { providedSectors } = await formatIntegrity({ lower, ...format })
  const device = await openIntegrity({ lower, size: providedSectors * 512, mode: "D", internalHash })
  const data = Uint8Array.from({ length: MIB }, (_, index) => (index * 7) % 251)
  for (let offset = 0; offset < device.size; offset += MIB) {
    await device.write(offset, data.subarray(0, Math.min(MIB, device.size - offset)))
  }
  await device.close()
}
