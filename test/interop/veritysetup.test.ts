import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { memoryDevice } from "@blockstrata/device"
import {
  checkVerity,
  type FormatVerityOptions,
  formatVerity,
  openVerity,
  readVeritySuperblock,
  superblockParameters,
  verityVerdict,
} from "@blockstrata/verity"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { findTool } from "../../bench/src/harness/tool.ts"
import { runCount } from "../run-count.ts"

const tool = findTool("veritysetup")
const UUID = "4c24530c-5697-4aa1-80e9-93c5db931920"
const run = promisify(execFile)
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "veritysetup-"))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

interface Outcome {
  readonly exitCode: number
  readonly lines: readonly string[]
  readonly output: string
}

async function veritysetup(...args: readonly string[]): Promise<Outcome> {
  const outcome = (exitCode: number, output: string, errors: string): Outcome => ({
    exitCode,
    output,
    // Of data blocks that the kernel of this machine could not map.
    lines: errors.split("\n").filter((line) => line !== "" && !line.startsWith("WARNING: Kernel cannot activate")),
  })
  try {
    const { stdout, stderr } = await run(tool ?? "", args)
    return outcome(0, stdout, stderr)
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return outcome(code, stdout, stderr)
  }
}

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const noise = (size: number) => {
  const words = new Uint32Array(size / 4)
  let state = 1
  for (let index = 0; index < words.length; index++) words[index] = state = Math.imul(state, 1664525) + 1013904223
  return new Uint8Array(words.buffer)
}

interface Volume {
  readonly name: string
  readonly count: number
  readonly dataBlockSize: number
  readonly hashBlockSize: number
  readonly saltSize: number
  readonly version: 0 | 1
  readonly hashOffset: number
  readonly superblock: boolean
}

const VOLUMES: readonly Volume[] = [
  [512, 512, 0],
  [1024, 4096, 1],
  [4096, 4096, 255],
  [4096, 512, 256],
  [512, 524288, 1],
  [524288, 512, 0],
  [65536, 1024, 256],
].flatMap(([dataBlockSize = 0, hashBlockSize = 0, saltSize = 0], row) =>
  // One block; a full block of hashes; one more; a full second level where blocks are small, and one more.
  [1, hashBlockSize / 32, hashBlockSize / 32 + 1, ...(dataBlockSize === 512 && row === 0 ? [256, 257] : [])].map(
    (count, column) => ({
      ...{
        name: `${count} of ${dataBlockSize}, hash ${hashBlockSize}, salt ${saltSize}`,
        count,
        dataBlockSize,
        hashBlockSize,
        saltSize,
      },
      version: (row + column) % 2 === 0 ? (1 as const) : (0 as const),
      hashOffset: column === 2 ? 4 * hashBlockSize : 0,
      superblock: column !== 1 || row % 2 === 0,
    }),
  ),
)

function shapeArguments(
  { count, dataBlockSize, hashBlockSize, version, hashOffset, superblock }: Volume,
  salt: Uint8Array,
): string[] {
  return [
    ...[`--data-block-size=${dataBlockSize}`, `--hash-block-size=${hashBlockSize}`, `--data-blocks=${count}`],
    ...[
      `--format=${version}`,
      `--hash-offset=${hashOffset}`,
      `--salt=${salt.length === 0 ? "-" : toHex(salt)}`,
      "--hash=sha256",
    ],
    ...(superblock ? [] : ["--no-superblock"]),
  ]
}

/** What was written here, as bytes. */
async function formatHere(data: Uint8Array, volume: Volume) {
  const salt = noise(256).slice(0, volume.saltSize)
  const { count: dataBlockCount, dataBlockSize, hashBlockSize, version, hashOffset, superblock } = volume
  const shape = { dataBlockCount, dataBlockSize, hashBlockSize, version, hashOffset, superblock }
  const options: Omit<FormatVerityOptions, "hash"> = {
    data: memoryDevice({ bytes: data.slice() }),
    ...shape,
    algorithm: "sha256",
    salt,
    uuid: UUID,
  }
  const hash = memoryDevice({
    size: hashOffset + 512 + hashBlockSize * (Math.ceil((dataBlockCount * 32) / hashBlockSize) + 8),
  })
  const made = await formatVerity({ ...options, hash })
  const bytes = new Uint8Array(hash.size)
  await hash.read(0, bytes)
  return { ...made, salt, hash, bytes: bytes.subarray(0, made.hashEndBytes) }
}

describe.skipIf(tool === undefined)(`veritysetup${tool === undefined ? " (skipped: not installed)" : ""}`, () => {
  test.each(VOLUMES)("both ways: $name, version $version, superblock $superblock", async (volume) => {
    const data = noise(volume.count * volume.dataBlockSize)
    const ours = await formatHere(data, volume)
    const [dataFile, ourFile, theirFile] = ["data", "ours", "theirs"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await rm(theirFile, { force: true })
    await writeFile(dataFile, data)
    await writeFile(ourFile, ours.bytes)
    const options = shapeArguments(volume, ours.salt)

    const verified = await veritysetup(
      "verify",
      dataFile,
      ourFile,
      toHex(ours.rootHash),
      ...(volume.superblock ? [options[4] ?? ""] : options),
    )
    expect(verified).toEqual({ exitCode: 0, lines: [], output: "" })

    const theirs = await veritysetup("format", dataFile, theirFile, `--uuid=${UUID}`, ...options)
    expect(theirs.lines).toEqual([])
    expect(/Root hash:\s+(\w+)/.exec(theirs.output)?.[1]).toBe(toHex(ours.rootHash))
    const theirBytes = await readFile(theirFile)
    expect(Buffer.compare(theirBytes, ours.bytes.subarray(0, theirBytes.length))).toBe(0)
    expect(ours.bytes.subarray(theirBytes.length).every((byte) => byte === 0)).toBe(true)

    const padded = new Uint8Array(Math.ceil(theirBytes.length / 512) * 512)
    padded.set(theirBytes)
    const devices = { data: memoryDevice({ bytes: data }), hash: memoryDevice({ bytes: padded }) }
    const report = await checkVerity({ ...devices, ...ours.parameters, rootHash: ours.rootHash })
    expect(verityVerdict(report)).toEqual({ exitCode: 0, lines: [] })
    if (!volume.superblock) return
    const superblock = await readVeritySuperblock(devices.hash, volume.hashOffset)
    expect(superblockParameters(superblock, volume.hashOffset)).toEqual(ours.parameters)
    await using opened = await openVerity({ ...devices, hashOffset: volume.hashOffset, rootHash: ours.rootHash })
    const read = new Uint8Array(opened.size)
    await opened.read(0, read)
    expect(Buffer.compare(read, data)).toBe(0)
  })

  test("damage: the same words and the same status", async () => {
    const volume = {
      count: 600,
      dataBlockSize: 512,
      hashBlockSize: 512,
      saltSize: 2,
      version: 1,
      hashOffset: 0,
      superblock: true,
    } as const
    const data = noise(volume.count * volume.dataBlockSize)
    const ours = await formatHere(data, { ...volume, name: "" })
    const [dataFile, hashFile] = [join(folder, "damaged-data"), join(folder, "damaged-hash")]
    const wrongRoot = new Uint8Array(32).fill(0xab)
    // Behind the superblock: its bytes decide what is verified at all.
    const hashPlace = fc.integer({ min: 512, max: ours.bytes.length - 1 })
    const damages = fc.record({
      dataPlaces: fc.array(fc.nat(data.length - 1), { maxLength: 2 }),
      hashPlaces: fc.array(hashPlace, { maxLength: 2 }),
      isRootWrong: fc.boolean(),
    })
    const none = { dataPlaces: [], hashPlaces: [], isRootWrong: false }
    await fc.assert(
      fc.asyncProperty(damages, async ({ dataPlaces, hashPlaces, isRootWrong }) => {
        const [badData, badHash] = [flipped(data, dataPlaces), flipped(ours.bytes, hashPlaces)]
        await writeFile(dataFile, badData)
        await writeFile(hashFile, badHash)
        const rootHash = isRootWrong ? wrongRoot : ours.rootHash
        const { exitCode, lines } = await veritysetup("verify", dataFile, hashFile, toHex(rootHash))
        const devices = { data: memoryDevice({ bytes: badData }), hash: memoryDevice({ bytes: badHash }) }
        const report = await checkVerity({ ...devices, ...ours.parameters, rootHash })
        expect(verityVerdict(report)).toEqual({ exitCode, lines })
      }),
      {
        numRuns: runCount(60),
        examples: [
          [none],
          [{ ...none, isRootWrong: true }],
          [{ ...none, dataPlaces: [5130] }],
          [{ ...none, hashPlaces: [912] }],
          [{ ...none, hashPlaces: [912, 21904] }],
          [{ ...none, hashPlaces: [520], dataPlaces: [599 * 512] }],
        ],
      },
    )
  })

  test("one block without a tree: bad data is a wrong root hash", async () => {
    const volume = {
      count: 1,
      dataBlockSize: 4096,
      hashBlockSize: 4096,
      saltSize: 0,
      version: 1,
      hashOffset: 0,
      superblock: true,
    } as const
    const data = noise(4096)
    const ours = await formatHere(data, { ...volume, name: "" })
    const bad = flipped(data, [7])
    await writeFile(join(folder, "one"), bad)
    await writeFile(join(folder, "one-hash"), ours.bytes)
    const { exitCode, lines } = await veritysetup(
      "verify",
      join(folder, "one"),
      join(folder, "one-hash"),
      toHex(ours.rootHash),
    )
    const report = await checkVerity({
      data: memoryDevice({ bytes: bad }),
      hash: ours.hash,
      ...ours.parameters,
      rootHash: ours.rootHash,
    })
    expect(verityVerdict(report)).toEqual({ exitCode, lines })
    expect(exitCode).toBe(1)
  })
})

function flipped(content: Uint8Array, places: readonly number[]): Uint8Array {
  const copy = content.slice()
  for (const place of places) copy[place] = (copy[place] ?? 0) ^ 1
  return copy
}
