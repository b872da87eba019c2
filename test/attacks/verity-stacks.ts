import type { AttackStack, AttackWish, Tampering } from "@blockstrata/testkit"
import {
  type BlockDevice,
  conciseTable,
  defineDevice,
  encodeHex,
  formatVerity,
  openVerity,
  openVolume,
  type TableEntry,
} from "blockstrata"
import type { LineStack } from "./line-stack.ts"

const BLOCK_SIZE = 512
/** Two leaves of the tree, and a top over them. */
const BLOCK_COUNT = 32
const HASH_SIZE = 4096
const SALT_SIZE = 32
const NAMES = { root: "root hash", salt: "salt" }

const dataOf = ({ medium }: AttackWish) => medium("data", { size: BLOCK_COUNT * BLOCK_SIZE })
const hashOf = ({ medium }: AttackWish) => medium("hash", { size: HASH_SIZE })
const keptOf = ({ kept }: AttackWish, name: string) => kept.get(name) ?? new Uint8Array(SALT_SIZE)

/** All parameters on the line, as `veritysetup open --no-superblock` gives them: nothing on the media is believed. */
function readerLines(kept: ReadonlyMap<string, Uint8Array>): TableEntry[] {
  const trusted = [NAMES.root, NAMES.salt].map((name) => encodeHex(kept.get(name) ?? new Uint8Array(SALT_SIZE)))
  const words = `${BLOCK_SIZE} ${BLOCK_SIZE} ${BLOCK_COUNT} 0 sha256 ${trusted.join(" ")}`
  return [{ name: "v", line: `0 ${(BLOCK_COUNT * BLOCK_SIZE) / 512} verity 1 data hash ${words}` }]
}

async function openByLine(wish: AttackWish): Promise<BlockDevice> {
  const { device } = await openVolume({
    table: conciseTable(readerLines(wish.kept)),
    readOnly: true,
    openFile: async (path) => (path === "data" ? dataOf(wish) : hashOf(wish)),
  })
  return device
}

async function openBySuperblock(wish: AttackWish): Promise<BlockDevice> {
  return await openVerity({ data: dataOf(wish), hash: hashOf(wish), rootHash: keptOf(wish, NAMES.root) })
}

/** Verity is read-only: the owner writes the data, and publishes a new root hash when done. */
async function publish(wish: AttackWish, hasSuperblock: boolean): Promise<BlockDevice> {
  const data = dataOf(wish)
  const hash = hashOf(wish)
  if (wish.isNew) {
    const salt = new Uint8Array(SALT_SIZE)
    wish.runtime.fillRandom(salt)
    wish.kept.set(NAMES.salt, salt)
  }
  return defineDevice({
    name: "publisher",
    size: data.size,
    blockSize: BLOCK_SIZE,
    features: { write: true },
    lowers: [
      { role: "data", device: data },
      { role: "hash", device: hash },
    ],
    read: (offset, buffer) => data.read(offset, buffer),
    write: (offset, bytes) => data.write(offset, bytes),
    flush: () => data.flush(),
    async close() {
      const { rootHash } = await formatVerity({
        ...{ data, hash, dataBlockSize: BLOCK_SIZE, hashBlockSize: BLOCK_SIZE, algorithm: "sha256" },
        salt: keptOf(wish, NAMES.salt),
        superblock: hasSuperblock,
        runtime: wish.runtime,
      })
      wish.kept.set(NAMES.root, rootHash)
    },
  })
}

/** An owner goes on only from what the old root hash vouches for: else a new one would vouch for an attacker's data. */
async function checkAll(device: BlockDevice): Promise<void> {
  try {
    await device.read(0, new Uint8Array(device.size))
  } finally {
    await device.close()
  }
}

function verityStack(name: string, open: typeof openByLine, parts: Partial<LineStack>): AttackStack {
  return {
    name,
    keepsElsewhere: true,
    ...parts,
    async create(wish) {
      if (wish.party === "reader") return await open(wish)
      if (wish.party === "owner" && !wish.isNew) await checkAll(await open(wish))
      return await publish(wish, "header" in parts)
    },
  }
}

const COUNT_OFFSET = 72

function overwrite(name: string, offset: number, bytes: readonly number[]): Tampering {
  return {
    name,
    change: ({ media }) => media.byName.get("hash")?.current.data.write(offset, Uint8Array.from(bytes)),
  }
}

export const VERITY_STACKS: readonly AttackStack[] = [
  verityStack("V", openByLine, { readerLines }),
  verityStack("V-superblock", openBySuperblock, {
    header: {
      medium: "hash",
      fields: [
        { name: "version", offset: 8, size: 4 },
        { name: "hash type", offset: 12, size: 4 },
        { name: "UUID", offset: 16, size: 8 },
        { name: "algorithm", offset: 32, size: 8 },
        { name: "data block size", offset: 64, size: 4 },
        { name: "hash block size", offset: 68, size: 4 },
        { name: "data block count", offset: COUNT_OFFSET, size: 8 },
        { name: "salt size", offset: 80, size: 2 },
        { name: "salt", offset: 88, size: 8 },
      ],
      downgrades: [
        overwrite("one block less", COUNT_OFFSET, [BLOCK_COUNT - 1]),
        overwrite("hash type 0", 12, [0]),
        overwrite("no salt", 80, [0, 0]),
        overwrite("another algorithm", 32, [...Buffer.from("sha1\0\0")]),
      ],
    },
  }),
]
