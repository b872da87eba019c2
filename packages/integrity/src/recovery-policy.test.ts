import { memoryDevice } from "@blockstrata/device"
import { expect, it } from "vitest"
import { formatIntegrity } from "./format-integrity.ts"
import { type OpenIntegrityOptions, openIntegrity } from "./open-integrity.ts"
import { checkRecoveryPolicy } from "./recovery-policy.ts"
import { decodeSuperblock, encodeSuperblock, type IntegritySuperblock } from "./superblock.ts"

const keyed = { name: "hmac(sha256)", key: new Uint8Array(32).fill(7) } as const
const unkeyed = { name: "sha256" } as const
const journalMac = { name: "hmac(sha256)", key: new Uint8Array(32) }
const journalCrypt = { name: "ctr(aes)", key: new Uint8Array(32) }
const legacy = { legacyRecalculate: true }
const allow = { allowUnauthenticatedRecovery: true }

type Options = Partial<OpenIntegrityOptions>
type Fields = Partial<IntegritySuperblock>

const superblock: IntegritySuperblock = {
  ...{ version: 5, interleaveSectors: 64, tagSize: 32, journalSectionCount: 1, providedSectors: 64 },
  ...{
    hasJournalMac: false,
    isRecalculating: false,
    hasDirtyBitmap: false,
    hasFixedPadding: true,
    hasFixedHmac: true,
    isInline: false,
  },
  ...{ blockSize: 512, bitmapBitBlocksLog2: 15, recalculatedSectors: 0, salt: new Uint8Array(16) },
}

const recalculating = { isRecalculating: true, recalculatedSectors: 8 }
const done = { isRecalculating: true, recalculatedSectors: 64 }
const dirty = { hasDirtyBitmap: true }

it.each<[Fields, Options, string | undefined]>([
  // An unkeyed tag can be computed by anybody: nothing is given up.
  [dirty, { mode: "B", internalHash: unkeyed }, undefined],
  [recalculating, { mode: "D", internalHash: unkeyed }, undefined],
  [{}, { mode: "B", internalHash: keyed }, "REFUSED"],
  [{}, { mode: "B", internalHash: keyed, readOnly: true }, "REFUSED"],
  [{}, { mode: "B", internalHash: keyed, ...allow }, undefined],
  [{}, { mode: "D", internalHash: keyed }, undefined],
  [dirty, { mode: "D", internalHash: keyed }, "REFUSED"],
  [dirty, { mode: "J", internalHash: keyed }, "REFUSED"],
  [dirty, { mode: "J", internalHash: keyed, ...allow }, undefined],
  // As Linux, which says EOPNOTSUPP; what is finished is no recalculation any more.
  [recalculating, { internalHash: keyed, ...allow }, "INVALID"],
  [recalculating, { internalHash: keyed, ...legacy }, "REFUSED"],
  [recalculating, { internalHash: keyed, ...legacy, ...allow }, undefined],
  [recalculating, { internalHash: keyed, journalMac }, undefined],
  [{ ...recalculating, hasFixedHmac: false }, { internalHash: keyed, journalMac }, "INVALID"],
  [{ ...recalculating, hasFixedHmac: false }, { internalHash: unkeyed, journalMac }, "INVALID"],
  [{ ...recalculating, hasFixedHmac: false }, { internalHash: unkeyed, journalMac, ...legacy }, undefined],
  [done, { internalHash: keyed }, undefined],
  [done, { internalHash: keyed, recalculate: true }, undefined],
  [done, { internalHash: keyed, resetRecalculate: true }, "INVALID"],
  [{}, { internalHash: keyed, recalculate: true }, "INVALID"],
  [{}, { internalHash: undefined, recalculate: true }, "INVALID"],
  [done, { internalHash: undefined }, "INVALID"],
  [dirty, { internalHash: undefined }, "INVALID"],
  // Linux keeps its bitmap where the encrypted journal is written over it.
  [{}, { mode: "B", journalCrypt }, "UNSUPPORTED"],
  [dirty, { journalCrypt }, "UNSUPPORTED"],
  [{}, { journalCrypt }, undefined],
])("a superblock with %j, opened with %j: %s", (fields, options, code) => {
  const check = () =>
    checkRecoveryPolicy({ ...superblock, ...fields }, { mode: "J", internalHash: unkeyed, ...options })
  if (code === undefined) expect(check).not.toThrow()
  else expect(check).toThrow(expect.objectContaining({ code }))
})

it("what is refused is refused before a byte is written; mode R is not asked", async () => {
  const bytes = new Uint8Array(256 * 1024)
  const format = { tagSize: 32, blockSize: 512, interleaveSectors: 64, internalHash: keyed, wipe: true }
  await formatIntegrity({ ...format, lower: memoryDevice({ bytes }) })
  bytes.set(encodeSuperblock({ ...decodeSuperblock(bytes), ...dirty }))
  const before = bytes.slice()
  const open = (mode: "B" | "D" | "R") =>
    openIntegrity({ lower: memoryDevice({ bytes }), size: 4096, mode, internalHash: keyed })
  for (const mode of ["B", "D"] as const) await expect(open(mode)).rejects.toMatchObject({ code: "REFUSED" })
  await (await open("R")).close()
  expect(bytes).toEqual(before)
})
