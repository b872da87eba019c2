import { type BlockDevice, BlockError, defineDevice, memoryDevice } from "@blockstrata/device"
import { beforeAll, describe, expect, test } from "vitest"
import { checkVerity, type VerityReport } from "./check-verity.ts"
import { type FormatVerityResult, formatVerity } from "./format-verity.ts"
import { verityVerdict } from "./verity-verdict.ts"

/** 600 blocks of 512: behind the superblock the top at 512, a level of 3 at 1024, the leaves at 2560 up to 22016. */
const data = Uint8Array.from({ length: 600 * 512 }, (_, index) => (index * 2654435761) / 65536)
let hash: Uint8Array
let made: FormatVerityResult

beforeAll(async () => {
  const device = memoryDevice({ size: 22016 })
  const salt = Uint8Array.of(0xaa, 0xbb)
  made = await formatVerity({
    ...{ data: memoryDevice({ bytes: data.slice() }), hash: device, dataBlockSize: 512, hashBlockSize: 512 },
    ...{ algorithm: "sha256", salt, uuid: "7eec9f7a-89c3-4a5a-86d5-6f9fc941ab53" },
  })
  hash = new Uint8Array(device.size)
  await device.read(0, hash)
})

interface Damage {
  readonly data?: readonly number[]
  readonly hash?: readonly number[]
  /** "last": the right one but for its last byte. */
  readonly rootHash?: Uint8Array | "last"
  readonly findingsMax?: number
}

function flipped(content: Uint8Array, offsets: readonly number[] = []): BlockDevice {
  const copy = content.slice()
  for (const offset of offsets) copy[offset] = (copy[offset] ?? 0) ^ 1
  return memoryDevice({ bytes: copy })
}

function check(damage: Damage): Promise<VerityReport> {
  const { findingsMax } = damage
  const lastWrong = made.rootHash.map((byte, index) => (index === 31 ? 255 - byte : byte))
  const rootHash = damage.rootHash === "last" ? lastWrong : (damage.rootHash ?? made.rootHash)
  const devices = { data: flipped(data, damage.data), hash: flipped(hash, damage.hash) }
  return checkVerity({ ...made.parameters, ...devices, rootHash, findingsMax })
}

const wrongRoot = new Uint8Array(32).fill(0xab)
const failedAt = (position: number) => [
  `Verification failed at position ${position}.`,
  "Verification of data area failed.",
]
const spareAt = (position: number) => [
  `Spare area is not zeroed at position ${position}.`,
  "Verification of data area failed.",
]

// Positions, words and status as veritysetup 2.6.1 gave them for the same damage.
describe("veritysetup's verdict", () => {
  test.each<[string, Damage, number, string[]]>([
    ["clean", {}, 0, []],
    ["a wrong root", { rootHash: wrongRoot }, 1, ["Verification of root hash failed."]],
    ["a root wrong in its last byte", { rootHash: "last" }, 1, ["Verification of root hash failed."]],
    ["data block 10", { data: [5130] }, 2, failedAt(5120)],
    ["data blocks 20 and 10", { data: [10250, 5130] }, 2, failedAt(5120)],
    ["the last data block", { data: [599 * 512] }, 2, failedAt(306688)],
    ["data and a wrong root", { data: [5130], rootHash: wrongRoot }, 2, failedAt(5120)],
    ["the top block", { hash: [520] }, 2, failedAt(1024)],
    ["level 1, block 0", { hash: [1030] }, 2, failedAt(2560)],
    ["level 1, block 1", { hash: [1541] }, 2, failedAt(10752)],
    ["level 0, block 0", { hash: [2565] }, 2, failedAt(0)],
    ["level 0, block 0, the last byte of hash 0", { hash: [2560 + 31] }, 2, failedAt(0)],
    ["level 0, block 3, hash 4", { hash: [2560 + 1536 + 128] }, 2, failedAt(26624)],
    ["spare in the top", { hash: [912] }, 2, spareAt(608)],
    ["spare in level 1", { hash: [2448] }, 2, spareAt(2240)],
    ["spare in level 0", { hash: [21904] }, 2, spareAt(21760)],
    ["spare in level 0 and data", { hash: [21904], data: [5130] }, 2, failedAt(5120)],
    ["spare in the top and level 0", { hash: [912, 21904] }, 2, spareAt(21760)],
    ["the top and level 1", { hash: [517, 1541] }, 2, failedAt(10752)],
    ["unused superblock bytes", { hash: [400] }, 0, []],
  ])("%s", async (_, damage, exitCode, lines) => {
    expect(verityVerdict(await check(damage))).toEqual({ exitCode, lines })
  })
})

test("goes to the end, joins neighbours, and tells a bad hash block from both sides", async () => {
  const report = await check({ data: [0, 512, 3000], hash: [520] })
  expect(report).toMatchObject({ rootMatches: false, findingCount: 3, dataBytes: 307200, hashAreaBytes: 42 * 512 })
  expect(report.findings).toMatchObject([
    { kind: "mismatch", area: "data", position: 0, length: 1024 },
    { kind: "mismatch", area: "data", position: 2560, length: 512 },
    { kind: "mismatch", area: "hash", position: 1024, length: 512 },
  ])
})

test("lists no more findings than asked for, and counts them all", async () => {
  const report = await check({ data: [0, 1024, 2048, 4096], findingsMax: 2 })
  expect(report.findings.map((finding) => finding.position)).toEqual([0, 1024])
  expect(report.findingCount).toBe(4)
})

test("blocks that cannot be read are findings", async () => {
  const failing = (content: Uint8Array, bad: number) =>
    defineDevice({
      name: "raw",
      size: content.length,
      blockSize: 512,
      async read(offset, buffer) {
        if (offset <= bad && bad < offset + buffer.length)
          throw new BlockError("IO", "raw: bad", { offset: bad, length: 512 })
        buffer.set(content.subarray(offset, offset + buffer.length))
      },
    })
  const places = { data: failing(data, 5120), hash: failing(hash, 512) }
  const report = await checkVerity({ ...made.parameters, ...places, rootHash: made.rootHash })
  expect(report).toMatchObject({ rootMatches: false, findingCount: 2 })
  expect(report.findings).toMatchObject([
    { kind: "unreadable", area: "data", position: 5120, length: 512, error: { code: "IO" } },
    { kind: "unreadable", area: "hash", position: 512, length: 512 },
  ])
  expect(verityVerdict(report)).toEqual({ exitCode: 1, lines: ["Verification of data area failed."] })
})

test("a volume larger than its devices is CORRUPT, before anything is read", async () => {
  const short = { data: memoryDevice({ bytes: data.slice(512) }), hash: flipped(hash) }
  const options = { ...made.parameters, rootHash: made.rootHash }
  await expect(checkVerity({ ...options, ...short })).rejects.toMatchObject({ code: "CORRUPT" })
  const shortTree = { data: flipped(data), hash: memoryDevice({ bytes: hash.slice(512) }) }
  await expect(checkVerity({ ...options, ...shortTree })).rejects.toMatchObject({ code: "CORRUPT" })
})

test("tells how far it is, and stops when asked", async () => {
  const steps: number[] = []
  const options = { ...made.parameters, data: flipped(data), hash: flipped(hash), rootHash: made.rootHash }
  await checkVerity({ ...options, onProgress: (done, total) => steps.push(done / total) })
  expect(steps.at(-1)).toBe(1)
  expect(steps).toEqual(steps.toSorted((a, b) => a - b))
  await expect(checkVerity({ ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" })
})
