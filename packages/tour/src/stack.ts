import { type AttackStack, type AttackWish, createMedia, type Media } from "@blockstrata/testkit"
import {
  type BlockDevice,
  conciseTable,
  defineDevice,
  encodeHex,
  formatVerity,
  hostRuntime,
  openVolume,
  type TableEntry,
} from "blockstrata"
import type { KernelVolume } from "./kernel-volume.ts"

/** A stack to attack: a kernel's volume, and where a hash tree stands in it. */
export interface TourStack extends AttackStack {
  readonly volume: KernelVolume
  /** The reader's table, lowest device first, with what the owner kept elsewhere: what Linux would be given too. */
  readonly readerLines: (kept: ReadonlyMap<string, Uint8Array>) => readonly TableEntry[]
}

/** Bytes of a hash device that is large enough for the tree of any volume here. */
const HASH_DEVICE_SIZE = 64 * 1024
export const HASH_BLOCK_SIZE = 4096
const SECTOR_SIZE = 512
const ROOT = "root hash"

/** Fixed, so that the tour prints the same on every run. A real volume takes a random one. */
export const SALT: Uint8Array = new TextEncoder().encode("a salt for the tour of the house")

/** None, over the plaintext, or over the medium, that is ciphertext, tags and metadata. */
type HashTree = "none" | "above" | "below"

/** The kernel's lines without a tree, and the reader's with one. */
function linesOf(volume: KernelVolume, hashTree: HashTree): Pick<TourStack, "readerLines"> & { below: TableEntry[] } {
  const below: TableEntry[] = volume.stack.map((entry) => ({ ...entry, line: entry.line.replaceAll("img:", "") }))
  const isAbove = hashTree === "above"
  const sectors = isAbove ? Number(below.at(-1)?.line.split(" ")[1]) : mediumSize(volume, "disk.img") / SECTOR_SIZE
  const sizes = `${HASH_BLOCK_SIZE} ${HASH_BLOCK_SIZE} ${(sectors * SECTOR_SIZE) / HASH_BLOCK_SIZE} 1`
  const data = isAbove ? below.at(-1)?.name : "disk.img"
  return {
    below,
    readerLines(kept) {
      if (hashTree === "none") return below
      const trusted = `${encodeHex(kept.get(ROOT) ?? new Uint8Array(0))} ${encodeHex(SALT)}`
      const verity = { name: "v", line: `0 ${sectors} verity 1 ${data} hash.img ${sizes} sha256 ${trusted}` }
      if (isAbove) return [...below, verity]
      return [verity, ...below.map((entry) => ({ ...entry, line: entry.line.replace(" disk.img ", " v ") }))]
    },
  }
}

function mediumSize(volume: KernelVolume, path: string): number {
  return volume.images.get(path)?.length ?? HASH_DEVICE_SIZE
}

export function tourStack(name: string, volume: KernelVolume, hashTree: HashTree): TourStack {
  const { below, readerLines } = linesOf(volume, hashTree)
  // The owner writes in mode D: what is attacked below stands where it belongs, and not in a journal.
  const writable = below.map((entry) => ({
    ...entry,
    line: entry.line.replace(/( integrity \S+ \d+ \d+) J /, "$1 D "),
  }))
  const mediumOf = ({ medium }: AttackWish, path: string) => medium(path, { size: mediumSize(volume, path) })

  async function openLines(wish: AttackWish, entries: readonly TableEntry[], readOnly: boolean): Promise<BlockDevice> {
    const openFile = async (path: string) => mediumOf(wish, path)
    const { runtime } = wish
    return (await openVolume({ table: conciseTable(entries), readOnly, runtime, openFile })).device
  }

  /** Makes the tree over what the owner trusts now, and keeps its root. */
  async function sealTree(wish: AttackWish): Promise<void> {
    const data = hashTree === "above" ? await openLines(wish, below, true) : mediumOf(wish, "disk.img")
    const hash = mediumOf(wish, "hash.img")
    const sizes = { dataBlockSize: HASH_BLOCK_SIZE, hashBlockSize: HASH_BLOCK_SIZE }
    const uuid = "00000000-0000-0000-0000-000000000000"
    const { rootHash } = await formatVerity({ data, hash, ...sizes, algorithm: "sha256", salt: SALT, uuid })
    wish.kept.set(ROOT, rootHash)
    await data.close()
    await hash.close()
  }

  return {
    name,
    volume,
    keepsElsewhere: hashTree !== "none",
    readerLines,
    async create(wish) {
      if (wish.party === "reader") return await openLines(wish, readerLines(wish.kept), true)
      if (wish.isNew) {
        for (const [path, image] of volume.images) await mediumOf(wish, path).write(0, image)
      }
      const device = await openLines(wish, writable, false)
      return hashTree === "none" ? device : publisher(device, () => sealTree(wish))
    },
  }
}

/** The owner's device under a hash tree: when it is closed, the tree is made anew. */
function publisher(device: BlockDevice, publish: () => Promise<void>): BlockDevice {
  return defineDevice({
    name: "publisher",
    size: device.size,
    blockSize: device.blockSize,
    features: { write: true },
    lowers: [{ role: "data", device }],
    extents: (offset, length) => [{ role: "data", offset, length }],
    read: (offset, buffer) => device.read(offset, buffer),
    write: (offset, data) => device.write(offset, data),
    flush: () => device.flush(),
    close: publish,
  })
}

/** A stack on media of its own, with the kernel's content. */
export interface TourVolume {
  readonly media: Media
  open(): Promise<BlockDevice>
}

export async function createVolume(stack: TourStack): Promise<TourVolume> {
  const media = createMedia()
  const kept = new Map<string, Uint8Array>()
  const open = async (isNew: boolean) =>
    await stack.create({ medium: media.medium, isNew, party: isNew ? "owner" : "reader", kept, runtime: hostRuntime })
  await (await open(true)).close()
  return { media, open: () => open(false) }
}
