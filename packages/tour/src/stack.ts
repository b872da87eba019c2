import {
  type BlockDevice,
  conciseTable,
  encodeHex,
  formatVerity,
  memoryDevice,
  openVolume,
  type TableEntry,
} from "blockstrata"
import type { KernelVolume } from "./kernel-volume.ts"

/** A stack to attack: a kernel's volume, and where a hash tree stands in it. */
export interface Stack {
  readonly name: string
  readonly volume: KernelVolume
  /** `above`: over the plaintext. `below`: over the medium, that is ciphertext, tags and metadata. */
  readonly hashTree: "none" | "above" | "below"
}

/** A stack on media of its own, in the hands of an owner and, between two openings, of an attacker. */
export interface AttackedVolume {
  /** All that the attacker can read and rewrite, by name. */
  readonly media: ReadonlyMap<string, Uint8Array>
  /** The reader's table, lowest device first: what Linux would be given too. */
  lines(): readonly TableEntry[]
  /** Opens what the media hold now, with what the owner keeps elsewhere: the keys and, of a hash tree, the root hash. */
  open(): Promise<BlockDevice>
  /** The owner writes; where there is a hash tree, it is made anew and its new root hash kept. */
  write(offset: number, data: Uint8Array): Promise<void>
}

/** Bytes of a hash device that is large enough for the tree of any volume here. */
const HASH_DEVICE_SIZE = 64 * 1024
export const HASH_BLOCK_SIZE = 4096
const SECTOR_SIZE = 512

/** Fixed, so that the tour prints the same on every run. A real volume takes a random one. */
export const SALT: Uint8Array = new TextEncoder().encode("a salt for the tour of the house")

export async function createVolume({ volume, hashTree }: Stack): Promise<AttackedVolume> {
  const media = new Map([...volume.images].map(([name, image]) => [name, new Uint8Array(image)]))
  const below: TableEntry[] = volume.stack.map(({ name, line }) => ({ name, line: line.replaceAll("img:", "") }))
  let verityLine = ""

  async function openLines(entries: readonly TableEntry[], readOnly: boolean): Promise<BlockDevice> {
    const { device } = await openVolume({
      table: conciseTable(entries),
      readOnly,
      openFile: async (name) => memoryDevice({ bytes: mediumOf(media, name), name, readOnly }),
    })
    return device
  }

  /** Makes the tree over what the owner trusts now, and the line that holds its root. */
  async function sealTree(): Promise<void> {
    const medium = hashTree === "above" ? undefined : "disk.img"
    const data = medium === undefined ? await openLines(below, true) : memoryDevice({ bytes: mediumOf(media, medium) })
    const hash = memoryDevice({ bytes: mediumOf(media, "hash.img") })
    const { rootHash } = await formatVerity({
      data,
      hash,
      dataBlockSize: HASH_BLOCK_SIZE,
      hashBlockSize: HASH_BLOCK_SIZE,
      version: 1,
      algorithm: "sha256",
      salt: SALT,
      uuid: "00000000-0000-0000-0000-000000000000",
    })
    const operands = `${medium ?? below.at(-1)?.name} hash.img ${HASH_BLOCK_SIZE} ${HASH_BLOCK_SIZE} ${data.size / HASH_BLOCK_SIZE} 1`
    verityLine = `0 ${data.size / SECTOR_SIZE} verity 1 ${operands} sha256 ${encodeHex(rootHash)} ${encodeHex(SALT)}`
    await data.close()
    await hash.close()
  }

  function readerEntries(): TableEntry[] {
    if (hashTree === "none") return below
    const verity = { name: "v", line: verityLine }
    if (hashTree === "above") return [...below, verity]
    return [verity, ...below.map(({ name, line }) => ({ name, line: line.replace(" disk.img ", " v ") }))]
  }

  // The journal of mode J is the kernel's to write; the owner writes in mode D, which leaves it clean.
  const ownerEntries = below.map(({ name, line }) => ({
    name,
    line: line.replace(/( integrity \S+ \d+ \d+) J /, "$1 D "),
  }))

  if (hashTree !== "none") {
    media.set("hash.img", new Uint8Array(HASH_DEVICE_SIZE))
    await sealTree()
  }
  return {
    media,
    lines: readerEntries,
    open: () => openLines(readerEntries(), true),
    async write(offset, data) {
      const device = await openLines(ownerEntries, false)
      await device.write(offset, data)
      await device.close()
      if (hashTree !== "none") await sealTree()
    },
  }
}

function mediumOf(media: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const medium = media.get(name)
  if (medium === undefined) throw new RangeError(`no medium ${name}`)
  return medium
}
