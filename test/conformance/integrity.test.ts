import { cryptTarget } from "@blockstrata/crypt"
import type { BlockDevice } from "@blockstrata/device"
import { formatIntegrity, type InternalHash, type JournalAlgorithm, openIntegrity } from "@blockstrata/integrity"
import { seededRandom, seededRuntime } from "@blockstrata/testkit"
import { conformEverywhere, conformStack, linearRange, type Step, slices } from "./stack.ts"

const runtime = seededRuntime(1)
const macKey = seededRandom(3, "mac key").bytes(32)
const volumeKey = seededRandom(3, "volume key").bytes(32)
/** Formatting writes every block: enough for a request longer than a target's scratch, and no more. */
const SIZE_MAX = 4 * 1024 * 1024

interface IntegrityOptions {
  readonly tagSize: number
  readonly blockSize: number
  readonly internalHash: InternalHash | undefined
  readonly allowDiscards?: boolean
  readonly readOnly?: boolean
  /** D if absent. */
  readonly mode?: "J" | "D"
  readonly journalCrypt?: JournalAlgorithm
  readonly journalMac?: JournalAlgorithm
}

/** A volume in mode D or J. Superblock, journal, and per run of data its tags: room for them, whatever the tag size. */
function integrityStep(options: IntegrityOptions): Step {
  const open: Step["open"] = (lower, size) => openIntegrity({ mode: "D", ...options, lower, size, runtime })
  return {
    lowerSize: (size) => Math.ceil((size * (1.1 + options.tagSize / options.blockSize) + 160 * 1024) / 4096) * 4096,
    async prepare(lower, size, above) {
      const { tagSize, blockSize, internalHash, journalCrypt, journalMac } = options
      await formatIntegrity({
        lower,
        tagSize,
        blockSize,
        internalHash,
        journalCrypt,
        journalMac,
        interleaveSectors: 128,
        journalSectors: 64,
        mode: "D",
        wipe: true,
        runtime,
      })
      const protection = { journalCrypt, journalMac }
      const plain = { lower, size, mode: "D", tagSize, blockSize, internalHash, runtime } as const
      const device = await openIntegrity({ ...plain, ...protection })
      await above(device)
      await device.close()
    },
    open,
  }
}

/** The same with the data on one half of the device below, as they are, and all else on the other. */
function apartStep(options: IntegrityOptions): Step {
  const { tagSize, blockSize, internalHash } = options
  const metadataSize = (size: number) => Math.ceil(((size / blockSize) * tagSize) / 4096) * 4096 + 160 * 1024
  const media = (device: BlockDevice, size: number) => {
    const [lower, metadata] = slices(device, [size, metadataSize(size)]) as [BlockDevice, BlockDevice]
    return { lower, metadata }
  }
  const open: Step["open"] = (device, size) =>
    openIntegrity({ ...media(device, size), size, mode: "D", runtime, ...options })
  return {
    lowerSize: (size) => size + metadataSize(size),
    async prepare(lower, size, above) {
      const format = { tagSize, blockSize, internalHash, journalSectors: 64, wipe: true, runtime }
      await formatIntegrity({ ...media(lower, size), ...format })
      const device = await open(lower, size)
      await above(device)
      await device.close()
    },
    open,
  }
}

/** Tags that the medium keeps with its blocks. */
function inlineStep({ tagSize, blockSize, internalHash }: IntegrityOptions): Step {
  const open: Step["open"] = (lower, size) =>
    openIntegrity({ lower, size, mode: "I", blockSize, internalHash, runtime })
  return {
    lowerSize: (size) => size + 4096,
    async prepare(lower, size, above) {
      await formatIntegrity({ lower, tagSize, blockSize, internalHash, mode: "I", wipe: true, runtime })
      const device = await open(lower, size)
      await above(device)
      await device.close()
    },
    open,
  }
}

const aeadStep = (tagSize: number): Step => ({
  lowerSize: (size) => size,
  open: (lower, size) =>
    cryptTarget({
      ...{ lower, size, cipher: "capi:gcm(aes)-random", key: volumeKey, ivOffsetSectors: 0, runtime },
      integrity: { tagSize, kind: "aead" },
    }),
})

/** Every sector written once: what stands above reads sectors of which it writes a part. */
const wiped = (step: Step): Step => ({
  ...step,
  async prepare(lower, size, above) {
    const device = await step.open(lower, size)
    await device.writeZeroes(0, size)
    await above(device)
    await device.close()
  },
})

const hashes: [name: string, options: IntegrityOptions][] = [
  ["crc32c", { tagSize: 4, blockSize: 512, internalHash: { name: "crc32c" } }],
  ["sha256, blocks of 4096", { tagSize: 32, blockSize: 4096, internalHash: { name: "sha256" } }],
  [
    "hmac(sha256), 16 bytes of tag, discards",
    { tagSize: 16, blockSize: 1024, internalHash: { name: "hmac(sha256)", key: macKey }, allowDiscards: true },
  ],
]
for (const [name, options] of hashes) {
  const size = options.blockSize * 32
  conformEverywhere(`integrity ${name}`, () => integrityStep(options), {
    authentic: true,
    secrets: [macKey],
    asStack: false,
    size,
    sizeMax: SIZE_MAX,
  })
}

const store: IntegrityOptions = { tagSize: 28, blockSize: 512, internalHash: undefined }
conformStack("integrity as a tag store", () => [integrityStep(store)], { sizeMax: SIZE_MAX })
conformStack("integrity as a tag store, over a linear range", () => [linearRange(), integrityStep(store)], {
  sizeMax: SIZE_MAX,
})

const apart: IntegrityOptions = { tagSize: 32, blockSize: 512, internalHash: { name: "sha256" }, allowDiscards: true }
conformStack("integrity with the data apart", () => [apartStep(apart)], { sizeMax: SIZE_MAX, authentic: true })

const inlineTags: IntegrityOptions = {
  tagSize: 16,
  blockSize: 512,
  internalHash: { name: "hmac(sha256)", key: macKey },
}
conformStack("integrity with inline tags", () => [inlineStep(inlineTags)], {
  sizeMax: SIZE_MAX,
  authentic: true,
  medium: { blockSize: 512, tagSize: 24 },
})

const hidden = { secrets: [volumeKey], authentic: true, sizeMax: SIZE_MAX }
conformStack("AEAD over integrity", () => [integrityStep(store), aeadStep(28)], hidden)
conformStack("AEAD over linear over integrity", () => [integrityStep(store), linearRange(), aeadStep(28)], hidden)
conformStack(
  "AEAD over integrity over a linear range",
  () => [linearRange(), integrityStep(store), linearRange(), aeadStep(28)],
  hidden,
)
conformStack("a tag store over a tag store", () => [integrityStep(store), integrityStep(store)], { sizeMax: SIZE_MAX })
conformStack(
  "AEAD over integrity, over itself",
  () => [integrityStep(store), wiped(aeadStep(28)), integrityStep(store), aeadStep(28)],
  { ...hidden, asStack: false },
)

/** Two sections and a journal that is written back again and again; its commits are flushes, for the clock stands still. */
const journaled: [name: string, options: IntegrityOptions][] = [
  ["crc32c", { tagSize: 4, blockSize: 512, internalHash: { name: "crc32c" } }],
  [
    "hmac(sha256), blocks of 4096, journal_mac and journal_crypt by ctr(aes)",
    {
      ...{ tagSize: 32, blockSize: 4096, internalHash: { name: "hmac(sha256)", key: macKey } },
      journalMac: { name: "hmac(sha256)", key: macKey },
      journalCrypt: { name: "ctr(aes)", key: volumeKey },
    },
  ],
  [
    "sha256, discards, journal_crypt by cbc(aes)",
    {
      ...{ tagSize: 16, blockSize: 1024, internalHash: { name: "sha256" }, allowDiscards: true },
      journalCrypt: { name: "cbc(aes)", key: volumeKey },
    },
  ],
]
for (const [name, options] of journaled) {
  conformEverywhere(`integrity in mode J, ${name}`, () => integrityStep({ ...options, mode: "J" }), {
    authentic: true,
    secrets: [macKey, volumeKey],
    size: options.blockSize * 32,
    sizeMax: SIZE_MAX,
  })
}
conformStack("integrity in mode J as a tag store", () => [integrityStep({ ...store, mode: "J" })], {
  sizeMax: SIZE_MAX,
})
conformStack("AEAD over integrity in mode J", () => [integrityStep({ ...store, mode: "J" }), aeadStep(28)], hidden)
