import { cryptTarget } from "@blockstrata/crypt"
import type { BlockDevice, Runtime } from "@blockstrata/device"
import {
  type FormatIntegrityOptions,
  formatIntegrity,
  type InternalHash,
  internalHashSizes,
  openIntegrity,
} from "@blockstrata/integrity"
import fc from "fast-check"
import type { LayerKind, LayerShape } from "../stack/stack-plan.ts"
import { type AeadOptions, aeadOptions, aeadParts, aeadTagSize, testKey } from "./crypt-layers.ts"

type BlockSize = 512 | 1024 | 2048 | 4096

interface Volume extends Pick<FormatIntegrityOptions, "tagSize" | "blockSize" | "internalHash"> {
  readonly interleaveSectors: number
  readonly legacyPadding?: boolean
  readonly mode: "B" | "D"
}

/** Without a journal a torn block of tags takes all of its data with it, flushed or not, in Linux too. */
function carriesTags({ tagSize, isReadOnly, isTearing }: LayerShape): boolean {
  return tagSize === 0 && isReadOnly !== true && isTearing !== true
}

/** Superblock, journal, and per run of data its tags: room for them, whatever the tag size. */
function volumeSize({ tagSize, blockSize }: Volume, size: number): number {
  return Math.ceil((size * (1.1 + tagSize / blockSize) + 512 * 1024) / 4096) * 4096
}

/** Opens a volume; formats it before, where the medium is new. */
async function openVolume(
  volume: Volume,
  lower: BlockDevice,
  size: number,
  isNew: boolean,
  runtime: Runtime,
): Promise<BlockDevice> {
  if (isNew)
    await formatIntegrity({
      ...volume,
      lower,
      journalSectors: 64,
      wipe: volume.internalHash !== undefined,
      runtime,
    })
  const { tagSize, blockSize, internalHash, mode } = volume
  const bitmap = { sectorsPerBit: 64, allowUnauthenticatedRecovery: mode === "B" }
  return await openIntegrity({ lower, size, mode, tagSize, blockSize, internalHash, runtime, ...bitmap })
}

interface IntegrityOptions {
  readonly hash: InternalHash["name"]
  readonly blockSize: BlockSize
  readonly interleaveSectors: number
  readonly mode: "B" | "D"
}

/** What shrinks goes to the first: a checksum, which makes volumes quickly. */
const HASHES = Object.keys(internalHashSizes) as InternalHash["name"][]

/** Every internal hash, in modes D and B. */
export const integrityLayer: LayerKind<IntegrityOptions> = {
  name: "integrity",
  options: fc.record({
    hash: fc.constantFrom(...HASHES),
    blockSize: fc.constantFrom<BlockSize[]>(512, 1024, 2048, 4096),
    interleaveSectors: fc.constantFrom(128, 256),
    mode: fc.constantFrom<("B" | "D")[]>("D", "B"),
  }),
  shape: ({ blockSize }, below) =>
    carriesTags(below) ? { blockSize: Math.max(blockSize, below.blockSize), tagSize: 0, isTearing: true } : undefined,
  isEager: true,
  lowerSize: (options, size) => volumeSize(volumeOf(options, 512), size),
  open: (options, lower, size, { isNew, runtime }) =>
    openVolume(volumeOf(options, lower.blockSize), lower, size, isNew, runtime),
}

function volumeOf({ hash, blockSize, interleaveSectors, mode }: IntegrityOptions, lowerBlockSize: number): Volume {
  const internalHash = (hash.startsWith("hmac(") ? { name: hash, key: testKey(32) } : { name: hash }) as InternalHash
  return {
    tagSize: internalHashSizes[hash],
    blockSize: Math.max(blockSize, lowerBlockSize),
    internalHash,
    interleaveSectors,
    mode,
  }
}

interface SealedTagsOptions extends AeadOptions {
  readonly blockSize: BlockSize
}

/** An AEAD over an integrity volume that keeps its tags: what `cryptsetup luksFormat --integrity` makes. */
export const sealedTagsLayer: LayerKind<SealedTagsOptions> = {
  name: "AEAD over integrity",
  options: fc
    .record({ aead: aeadOptions, blockSize: fc.constantFrom<BlockSize[]>(512, 4096) })
    .map(({ aead, blockSize }) => ({ ...aead, blockSize })),
  shape: ({ blockSize }, below) =>
    carriesTags(below) ? { blockSize: Math.max(blockSize, below.blockSize), tagSize: 0, isTearing: true } : undefined,
  isEager: true,
  lowerSize: (options, size) => volumeSize(tagStoreOf(options, 512), size),
  async open(options, lower, size, { isNew, runtime }) {
    const store = await openVolume(tagStoreOf(options, lower.blockSize), lower, size, isNew, runtime)
    const device = cryptTarget({ lower: store, size, sectorSize: store.blockSize, runtime, ...aeadParts(options) })
    if (isNew) {
      await device.writeZeroes(0, size)
      await device.flush()
    }
    return device
  },
}

function tagStoreOf(options: SealedTagsOptions, lowerBlockSize: number): Volume {
  const blockSize = Math.max(options.blockSize, lowerBlockSize)
  return { tagSize: aeadTagSize(options), blockSize, internalHash: undefined, interleaveSectors: 128, mode: "D" }
}
