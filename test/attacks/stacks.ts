import type { AttackStack, AttackWish } from "@blockstrata/testkit"
import { seededRandom } from "@blockstrata/testkit"
import { conciseTable, encodeHex, integrityWordWith, openVolume } from "blockstrata"
import { INTEGRITY_FLAGS, INTEGRITY_JOURNAL, integrityHeader } from "./integrity-metadata.ts"
import type { LineStack } from "./line-stack.ts"
import { VERITY_STACKS } from "./verity-stacks.ts"

/** Bytes of a medium that holds a volume of integrity: superblock, two journal sections, areas with tags. */
const INTEGRITY_MEDIUM_SIZE = 256 * 1024
const SECTOR_SIZE = 512
const SECTOR_COUNT = 16

/** The owner's key, and what an attacker has instead. */
function key(party: AttackWish["party"], length: number): string {
  return encodeHex(seededRandom(party === "attacker" ? 2 : 1, "key").bytes(length))
}

/** A stack of table targets, lowest first, over the medium `disk`; a device below is called `d0`, `d1` ... */
function lineStack(
  name: string,
  mediumSize: number,
  targets: (party: AttackWish["party"]) => readonly string[],
  parts: Partial<AttackStack> = {},
): LineStack {
  const lines = (party: AttackWish["party"]) =>
    targets(party).map((target, index) => ({ name: `d${index}`, line: `0 ${SECTOR_COUNT} ${target}` }))
  return {
    name,
    ...parts,
    readerLines: () => lines("reader"),
    async create({ medium, party, runtime }) {
      const { device } = await openVolume({
        table: conciseTable(lines(party)),
        runtime,
        readOnly: party === "reader",
        words: name === "HB" ? [integrityWordWith({ allowUnauthenticatedRecovery: true })] : [],
        openFile: async (path) => medium(path, { size: mediumSize }),
      })
      return device
    },
  }
}

interface IntegrityVariant {
  readonly mode?: "J" | "B" | "D"
  readonly isLegacy?: boolean
  readonly keySize?: number
  readonly allowsDiscards?: boolean
  readonly hasJournalMac?: boolean
}

/** Its reader opens in `mode`; whoever writes does so in mode D, or in B if that is the reader's. */
function integrityStack(
  name: string,
  hash: string,
  tagSize: number,
  { mode = "D", isLegacy = false, keySize = 0, allowsDiscards = false, hasJournalMac = false }: IntegrityVariant = {},
): LineStack {
  const line = (party: AttackWish["party"]) => {
    const hashWord = `internal_hash:${hash}${keySize > 0 ? `:${key(party, keySize)}` : ""}`
    const options = [...(isLegacy ? [] : ["fix_hmac"]), ...(allowsDiscards ? ["allow_discards"] : [])]
    // The attacker's opening is but a way to compute forged tags, in mode D, which writes neither superblock nor journal.
    const mac = hasJournalMac ? [`journal_mac:hmac(sha256):${key("owner", keySize)}`] : []
    const words = [...GEOMETRY, hashWord, ...options, ...mac]
    return [
      `integrity disk 0 ${tagSize} ${party === "reader" || mode === "B" ? mode : "D"} ${words.length} ${words.join(" ")}`,
    ]
  }
  return lineStack(name, INTEGRITY_MEDIUM_SIZE, line, {
    header: integrityHeader(!isLegacy),
    journal: INTEGRITY_JOURNAL,
    flags: INTEGRITY_FLAGS,
    ...(allowsDiscards && { blankTagByte: DISCARDED }),
  })
}
const GEOMETRY = ["journal_sectors:360", "interleave_sectors:8", "fix_padding"]

/** Of this byte dm-integrity fills the tags of blocks that were discarded. */
const DISCARDED = 0xf6
const AEAD_TAG_SIZE = 28

/** The columns that exist. A new target adds its own here, and to the expectation. */
export const STACKS: readonly AttackStack[] = [
  { name: "F", create: ({ medium }) => medium("disk", { size: SECTOR_COUNT * SECTOR_SIZE }) },
  lineStack("X", SECTOR_COUNT * SECTOR_SIZE, (party) => [`crypt aes-xts-plain64 ${key(party, 64)} 0 disk 0`]),
  integrityStack("C", "crc32c", 4),
  integrityStack("S", "sha256", 32),
  integrityStack("H", "hmac(sha256)", 32, { keySize: 32, mode: "J" }),
  integrityStack("H-mac", "hmac(sha256)", 32, { keySize: 32, mode: "J", hasJournalMac: true }),
  integrityStack("H-legacy", "hmac(sha256)", 32, { keySize: 32, mode: "J", isLegacy: true }),
  integrityStack("H-discards", "hmac(sha256)", 32, { keySize: 32, mode: "J", allowsDiscards: true }),
  integrityStack("HB", "hmac(sha256)", 32, { keySize: 32, mode: "B" }),
  lineStack(
    "A",
    INTEGRITY_MEDIUM_SIZE,
    (party) => [
      `integrity disk 0 ${AEAD_TAG_SIZE} ${party === "reader" ? "J" : "D"} ${GEOMETRY.length} ${GEOMETRY.join(" ")}`,
      `crypt capi:gcm(aes)-random ${key(party, 32)} 0 d0 0 1 integrity:${AEAD_TAG_SIZE}:aead`,
    ],
    { header: integrityHeader(false), journal: INTEGRITY_JOURNAL, flags: INTEGRITY_FLAGS },
  ),
  ...VERITY_STACKS,
]
