import type { ExpectedMatrix } from "@blockstrata/testkit"

/**
 * What must come out, the undetected as firmly as the detected. Where a cell is not what one would think of the target,
 * or not what Linux does, the comment above its row and the note of the page say why.
 */
const ROWS: readonly string[] = [
  "    F       X        C           S           H           H-mac    H-legacy    H-discards  HB             A           V        V-superblock",
  "A1  noise   noise    refused     refused     refused     refused  refused     refused     refused        refused     refused  refused",
  // Unkeyed checksums stop faults. XTS has no say in what is accepted, only in what it means.
  "A2  chosen  noise    chosen      chosen      refused     refused  refused     refused     refused        refused     refused  refused",
  // The sector number is hashed into every tag of dm-integrity, unkeyed ones too, and is in the AEAD's AAD.
  "A3  chosen  noise    refused     refused     refused     refused  refused     refused     refused        refused     refused  refused",
  // The salt of the superblock is hashed into the tags, even of crc32c; not in volumes of the legacy format, and nothing in
  // dm-crypt's AEAD names the volume.
  "A4  chosen  chosen   refused     refused     refused     refused  chosen      refused     refused        chosen      refused  refused",
  // Authentic once is authentic for ever, keyed or not: on A too, and Linux accepts the same block.
  "A5  old     old      old         old         old         old      old         old         old            old         refused  refused",
  "A6  old     old      old         old         old         old      old         old         old            old         refused  refused",
  "A7  old     old      old         old         old         old      old         old         old            old         refused  refused",
  // Where a line or a superblock states the size, a shorter medium does not open and a longer one changes nothing.
  "A8a resized refused  refused     refused     refused     refused  refused     refused     refused        refused     refused  refused",
  "A8b resized unharmed unharmed    unharmed    unharmed    unharmed unharmed    unharmed    unharmed       unharmed    unharmed unharmed",
  // H-discards: `allow_discards` makes a tag of 0xf6 bytes go with any data, without a key.
  "A9  chosen  noise    refused     refused     refused     refused  refused     chosen      refused        refused     refused  refused",
  // X has no header without LUKS. V: all parameters stand on the line. V-superblock was planned as detected, for the case
  // that the parameters come from elsewhere: from the superblock the count of blocks is believed, and a smaller one of the
  // same depth has the same root hash.
  "A10 n/a     n/a      refused     refused     refused     refused  refused     refused     refused        refused     n/a      resized+refused",
  // `unharmed`: fields that this reader does not use, and values that they already have.
  "A11 n/a n/a refused+unharmed refused+unharmed refused+unharmed refused+unharmed refused+unharmed refused+unharmed refused+unharmed refused+unharmed n/a refused+unharmed",
  // C, S and A as planned: what is found is replayed, an old block included, as in Linux. So on H and HB, which have no
  // journal_mac; with one (H-mac) no section is taken that somebody without its key changed or moved.
  "A12 n/a     n/a      old+refused old+refused old+refused refused  old+refused old+refused old+refused    old+refused n/a      n/a",
  // A keyed hash is not recalculated; for a dirty bitmap Linux does it all the same, on H as on HB, and here HB's reader has
  // allowed it by name.
  "A13 n/a     n/a      chosen      chosen      refused     refused  refused     refused     chosen+refused refused     n/a      n/a",
  // V was planned as not applicable. Whoever publishes an image keeps its root hash; any other state has another one.
  "A14 old     old      old         old         old         old      old         old         old            old         refused  refused",
  "A15 old     old      old         old         old         old      old         old         old            old         refused  refused",
  // V: the owner goes on only from what the last root hash vouches for, and so is warned.
  "A16 old     old      old         old         old         old      old         old         old            old         refused  refused",
  // Planned as not applicable to all of these. The first answer is right and the second forged: what the second asking gets
  // is judged like A2, and what is verified is what is given out.
  "A18 chosen  noise    chosen      chosen      refused     refused  refused     refused     refused        refused     refused  refused",
  "A19 n/a     n/a      n/a         n/a         n/a         n/a      n/a         n/a         n/a            n/a         refused  refused",
]

export const EXPECTED: ExpectedMatrix = parse(ROWS)

function parse([head = "", ...rows]: readonly string[]): ExpectedMatrix {
  const stacks = head.trim().split(/ +/)
  return Object.fromEntries(
    rows.map((row) => {
      const [attack = "", ...outcomes] = row.split(/ +/)
      if (outcomes.length !== stacks.length) throw new RangeError(`${attack}: ${outcomes.length} cells`)
      return [attack, Object.fromEntries(stacks.map((stack, index) => [stack, outcomes[index] ?? ""]))]
    }),
  )
}
