/** A column of the page: which stack it is, and what it promises in a sentence. */
interface TargetPromise {
  readonly name: string
  readonly stack: string
  readonly promise: string
}

const SALTED = "`fix_hmac`"

export const TARGETS: readonly TargetPromise[] = [
  { name: "F", stack: "a file or memory", promise: "keeps bytes; nothing more" },
  {
    name: "X",
    stack: "`crypt aes-xts-plain64`",
    promise: "hides what is written from whoever has the medium once; does not notice changes",
  },
  {
    name: "C",
    stack: `\`integrity\`, \`crc32c\`, ${SALTED}`,
    promise:
      "finds blocks that a medium changed or misplaced, but for one in 2^32, not those that it never wrote; no attacker",
  },
  {
    name: "S",
    stack: `\`integrity\`, \`sha256\`, ${SALTED}`,
    promise: "finds blocks that a medium changed or misplaced, not those that it never wrote; no attacker",
  },
  {
    name: "H",
    stack: `\`integrity\`, \`hmac(sha256)\`, ${SALTED}, read in mode J`,
    promise:
      "finds every block that somebody without the key changed, moved, or took from another volume; hides nothing",
  },
  {
    name: "H-mac",
    stack: "the same with `journal_mac`",
    promise:
      "as H, and puts no block back at the word of a journal, or of a superblock, that somebody without the key made",
  },
  {
    name: "H-legacy",
    stack: "the same without `fix_hmac`",
    promise: "as H, but blocks of any volume of the same key are taken at their place",
  },
  {
    name: "H-discards",
    stack: "H with `allow_discards`",
    promise: "as H, but anybody can declare a block discarded, and then it holds whatever stands there",
  },
  {
    name: "HB",
    stack: "H, written and read in mode B, `allowUnauthenticatedRecovery`",
    promise:
      "as C: somebody without the key sets a flag and a bitmap, and what stands there then gets its tag; without the option the line is refused",
  },
  {
    name: "A",
    stack: "`crypt capi:gcm(aes)-random` over `integrity`, read in mode J",
    promise: "hides what is written, and finds every block that somebody without the key changed or moved",
  },
  {
    name: "V",
    stack: "`verity`, all parameters on the line, root hash and salt kept elsewhere",
    promise:
      "every byte read is one that the root hash was made from, of this state and no other; read-only, hides nothing",
  },
  {
    name: "V-superblock",
    stack: "the same, parameters from the superblock, root hash kept elsewhere",
    promise: "as V, but the size of the device is the superblock's word: compare it with the one that you published",
  },
]

/** The notes of the page, each with its cells, `ATTACK STACK`. */
export const NOTES: readonly { readonly text: string; readonly cells: readonly string[] }[] = [
  {
    cells: ["A3 C", "A3 S"],
    text: "Every tag of dm-integrity is computed over the number of the block's sector too. Whoever recomputes it (A2) can move blocks.",
  },
  {
    cells: ["A4 C", "A4 S", "A4 H"],
    text: "With `fix_hmac` the salt of the superblock, random in each volume, is part of every tag. Whoever copies the superblock too copies the volume (A6).",
  },
  {
    cells: ["A4 A"],
    text: "Nothing in dm-crypt's AEAD names the volume: two volumes with one volume key, such as copies of an image, exchange blocks. Format each with a key of its own.",
  },
  {
    cells: ["A5 A", "A6 A"],
    text: "Linux accepts the same block and the same image. The tag proves that the owner wrote the block there once, not that it was last.",
  },
  {
    cells: ["A9 H-discards"],
    text: "A tag of bytes 0xf6 goes with any data where `allow_discards` stands on the line, as in Linux.",
  },
  {
    cells: ["A10 V-superblock"],
    text: "The superblock is not covered by the root hash. A smaller count of data blocks under a tree of the same depth opens, as a shorter device; every other downgrade tried is detected.",
  },
  {
    cells: ["A12 C", "A12 S", "A12 H", "A12 H-legacy", "A12 H-discards", "A12 HB", "A12 A"],
    text: "An entry of a journal is a block and its tag as they stood on the medium once; without `journal_mac` anybody can write one, and it is replayed, as in Linux. Two sections swapped and a section of noise are refused.",
  },
  {
    cells: ["A13 H", "A13 H-legacy", "A13 H-discards"],
    text: "Refused by policy: for a dirty bitmap Linux makes keyed tags too, in every mode, and reads what the attacker chose: see below.",
  },
  {
    cells: ["A13 HB"],
    text: "Detected is only the flag for recalculation, which Linux refuses with a keyed hash too. The flag for a dirty bitmap is how mode B works.",
  },
  {
    cells: ["A16 V", "A16 V-superblock"],
    text: "Provided that the owner, before changing an image, verifies it against the root hash of the last one. One who does not will vouch for the attacker's data.",
  },
]
