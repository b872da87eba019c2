import type { UnitHash } from "@blockstrata/primitives"
import type { IntegrityFinding, IntegrityFindingKind } from "./finding.ts"
import { bitmapBitSectorsLog2, SECTORS_PER_BIT_DEFAULT } from "./fresh-superblock.ts"
import type { IntegrityMode } from "./integrity-target.ts"
import { type Geometry, possibleSectors, sectionLayout } from "./layout.ts"
import { hasSuperblockSignature, SALT_SIZE, SUPERBLOCK_SIZE, TAG_SIZE_MAX } from "./superblock.ts"

/** What a table line says of a superblock; what is absent is not compared. */
export interface SuperblockExpectation {
  readonly mode?: IntegrityMode | undefined
  /** Bytes. */
  readonly tagSize?: number | undefined
  readonly blockSize?: number | undefined
  readonly interleaveSectors?: number | undefined
  /** As on a line: whole sections of it. */
  readonly journalSectors?: number | undefined
  /** As a formatter was told, of whatever mode; 32768 is what it takes if it was told nothing. */
  readonly sectorsPerBit?: number | undefined
  readonly fixPadding?: boolean | undefined
  readonly fixHmac?: boolean | undefined
  readonly hasJournalMac?: boolean | undefined
}

export interface SuperblockFacts {
  /** Bytes of the device that holds the superblock, and where on it. */
  readonly metadataBytes: number
  readonly start: number
  /** Bytes of the device of the data, where they lie on one of their own. */
  readonly dataBytes: number | undefined
  readonly expected: SuperblockExpectation
  /** That of `journal_mac`, if it is known. */
  readonly journalMac: UnitHash | undefined
}

const SECTOR_SIZE = 512
const MAC_SIZE_MAX = 64
const STRUCT_SIZE = 64
const FLAG = { journalMac: 1, recalculating: 2, dirtyBitmap: 4, fixedPadding: 8, fixedHmac: 16, inline: 32 } as const
const FLAGS_END = 64
/** Where the fields stand: offset and bytes. */
const PLACE = {
  signature: [0, 8],
  version: [8, 1],
  interleave: [9, 1],
  tagSize: [10, 2],
  journalSections: [12, 4],
  provided: [16, 8],
  flags: [24, 4],
  blockSectors: [28, 1],
  bitmapBit: [29, 1],
  recalculated: [32, 8],
  salt: [48, SALT_SIZE],
} as const satisfies Readonly<Record<string, readonly [number, number]>>
type Field = readonly [offset: number, length: number]
/** All that decides where tags and data lie. */
export const GEOMETRY_FIELDS: readonly Field[] = [
  PLACE.interleave,
  PLACE.tagSize,
  PLACE.journalSections,
  PLACE.flags,
  PLACE.blockSectors,
]
export const SALT_FIELD: Field = PLACE.salt

/** The fields as numbers, whatever they say. */
interface RawSuperblock {
  readonly version: number
  readonly interleaveLog2: number
  readonly tagSize: number
  readonly journalSections: number
  readonly provided: bigint
  readonly flags: number
  readonly blockSectorsLog2: number
  readonly bitmapBitLog2: number
  readonly recalculated: bigint
}

type Report = (kind: IntegrityFindingKind, message: string, fields: readonly Field[], isNotice?: boolean) => void

/**
 * Compares every byte of the superblock's 8 sectors with what Linux would have written there. What only a key tells is left
 * out without it: whether the salt is that of the tags, and with `journal_mac` whether the sector is authentic.
 */
export function superblockFindings(bytes: Uint8Array, facts: SuperblockFacts): IntegrityFinding[] {
  const findings: IntegrityFinding[] = []
  const device = facts.dataBytes === undefined ? "data" : "metadata"
  const report: Report = (kind, what, fields, isNotice = false) => {
    const places = fields.map(([offset, length]) => ({ device, offset: facts.start + offset, length }) as const)
    findings.push({ kind, severity: isNotice ? "notice" : "damage", message: `superblock: ${what}`, places })
  }
  if (!hasSuperblockSignature(bytes)) {
    report("superblock-signature", "no signature", [PLACE.signature])
    return findings
  }
  const raw = rawSuperblock(bytes)
  checkVersion(raw, facts, report)
  const geometry = geometryOf(raw, facts, report)
  checkPlace(raw, facts, geometry, report)
  checkExpected(raw, facts, geometry, report)
  checkRest(bytes, raw, facts, report)
  return findings
}

function rawSuperblock(bytes: Uint8Array): RawSuperblock {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    version: view.getUint8(8),
    interleaveLog2: view.getUint8(9),
    tagSize: view.getUint16(10, true),
    journalSections: view.getUint32(12, true),
    provided: view.getBigUint64(16, true),
    flags: view.getUint32(24, true),
    blockSectorsLog2: view.getUint8(28),
    bitmapBitLog2: view.getUint8(29),
    recalculated: view.getBigUint64(32, true),
  }
}

const has = ({ flags }: RawSuperblock, flag: number) => Math.floor(flags / flag) % 2 === 1

/** Linux writes the lowest version that has what the flags say; it never takes one back. */
function checkVersion(raw: RawSuperblock, { dataBytes }: SuperblockFacts, report: Report): void {
  const { version, flags } = raw
  if (flags >= FLAGS_END) report("superblock-flags", `unknown flags in ${flags}`, [PLACE.flags])
  const possible = has(raw, FLAG.inline)
    ? [6]
    : has(raw, FLAG.fixedHmac)
      ? [5]
      : has(raw, FLAG.fixedPadding)
        ? [4]
        : has(raw, FLAG.dirtyBitmap)
          ? [3]
          : dataBytes !== undefined || has(raw, FLAG.recalculating)
            ? [2, 3]
            : [1, 2, 3]
  if (has(raw, FLAG.inline) && (has(raw, FLAG.journalMac) || has(raw, FLAG.dirtyBitmap)))
    report("superblock-flags", `a journal MAC or a bitmap with inline tags in ${flags}`, [PLACE.flags])
  if (possible.includes(version)) return
  const message = `version ${version} with flags ${flags}: expected version ${possible.join(" or ")}`
  report("superblock-version", message, [PLACE.version, PLACE.flags])
}

/** Undefined if the fields cannot be those of a volume. */
function geometryOf(raw: RawSuperblock, { dataBytes }: SuperblockFacts, report: Report): Geometry | undefined {
  const { interleaveLog2, tagSize, journalSections, blockSectorsLog2 } = raw
  const wrong: string[] = []
  const expect = (isRight: boolean, message: string, field: Field) => {
    if (isRight) return
    wrong.push(message)
    report("superblock-geometry", message, [field])
  }
  const isApart = dataBytes !== undefined
  expect(
    isApart ? interleaveLog2 === 0 : interleaveLog2 >= 3 && interleaveLog2 <= 31,
    `log2 of the interleave sectors: expected ${isApart ? "0, for the data lie apart" : "3 ... 31"}, got ${interleaveLog2}`,
    PLACE.interleave,
  )
  expect(tagSize >= 1 && tagSize <= TAG_SIZE_MAX, `tag size ${tagSize}: expected 1 ... ${TAG_SIZE_MAX}`, PLACE.tagSize)
  const isInline = has(raw, FLAG.inline)
  expect(isInline === (journalSections === 0), `${journalSections} journal sections`, PLACE.journalSections)
  expect(
    blockSectorsLog2 <= 3,
    `log2 of a block's sectors: expected 0 ... 3, got ${blockSectorsLog2}`,
    PLACE.blockSectors,
  )
  if (wrong.length > 0) return undefined
  return {
    interleaveSectors: 2 ** interleaveLog2,
    tagSize,
    journalSectionCount: journalSections,
    hasJournalMac: has(raw, FLAG.journalMac),
    hasFixedPadding: has(raw, FLAG.fixedPadding),
    isInline,
    blockSize: SECTOR_SIZE * 2 ** blockSectorsLog2,
  }
}

/** Sizes against the device, and what follows from them. */
function checkPlace(raw: RawSuperblock, facts: SuperblockFacts, geometry: Geometry | undefined, report: Report): void {
  const { provided, recalculated } = raw
  if (geometry !== undefined) {
    const { metadataBytes, start, dataBytes = metadataBytes } = facts
    const possible = possibleSectors(geometry, metadataBytes, start, dataBytes)
    if (provided !== BigInt(possible)) {
      const message = `provides ${provided} sectors: with these fields this device has room for ${possible}`
      // A device that was enlarged later has more room than its superblock says.
      report("superblock-size", message, [PLACE.provided, ...GEOMETRY_FIELDS], provided > 0n && provided < possible)
    }
    checkBitmapBit(raw, facts, geometry, report)
  }
  const isRecalculating = has(raw, FLAG.recalculating)
  const fields = [PLACE.recalculated, PLACE.flags]
  const blockSectors = BigInt(2 ** Math.min(raw.blockSectorsLog2, 3))
  // A volume of mode B counts here too, without the flag; when it is done, the count stays.
  const isLeft = recalculated === 0n || recalculated === provided
  if (recalculated > provided || recalculated % blockSectors !== 0n || !(isRecalculating || isLeft)) {
    const message = `recalculated up to sector ${recalculated} of ${provided}${isRecalculating ? "" : ", but not recalculating"}`
    report("superblock-recalculation", message, fields, recalculated < provided && has(raw, FLAG.dirtyBitmap))
  } else if (isRecalculating && recalculated < provided) {
    report("superblock-recalculation", `tags from sector ${recalculated} on are still to be calculated`, fields, true)
  }
  if (has(raw, FLAG.dirtyBitmap))
    report("superblock-flags", "the journal holds a bitmap, of mode B", [PLACE.flags], true)
}

function checkBitmapBit(raw: RawSuperblock, { expected }: SuperblockFacts, geometry: Geometry, report: Report): void {
  const { bitmapBitLog2, blockSectorsLog2, version, provided } = raw
  const journalSectors = (sectionLayout(geometry).sectionBytes / SECTOR_SIZE) * geometry.journalSectionCount
  const log2Of = (sectorsPerBit: number) =>
    bitmapBitSectorsLog2(sectorsPerBit, geometry.blockSize, journalSectors, Number(provided)) - blockSectorsLog2
  const { sectorsPerBit = SECTORS_PER_BIT_DEFAULT } = expected
  const usual = log2Of(sectorsPerBit)
  // Before version 3 these bytes were zero.
  if (bitmapBitLog2 === usual || (bitmapBitLog2 === 0 && version < 3)) return
  // Any other power of two may have been asked for, if the bitmap fits.
  const isPossible = expected.sectorsPerBit === undefined && bitmapBitLog2 >= log2Of(1) && bitmapBitLog2 < 32
  const message = `log2 of the blocks of a bitmap bit is ${bitmapBitLog2}: expected ${usual} for ${sectorsPerBit} sectors`
  report("superblock-bitmap-bit", message, [PLACE.bitmapBit], isPossible)
}

function checkExpected(
  raw: RawSuperblock,
  { expected, dataBytes }: SuperblockFacts,
  geometry: Geometry | undefined,
  report: Report,
): void {
  const { mode, journalSectors, interleaveSectors, fixPadding, fixHmac } = expected
  const sectionSectors = geometry && sectionLayout(geometry).sectionBytes / SECTOR_SIZE
  const sections =
    journalSectors && sectionSectors ? Math.max(1, Math.floor(journalSectors / sectionSectors)) : undefined
  // Of data apart no padding is fixed and nothing interleaved, and their journal is as long as the tags leave room for.
  const isApart = dataBytes !== undefined
  const compared: readonly (readonly [string, Field, unknown, unknown])[] = [
    ["tag size", PLACE.tagSize, raw.tagSize, expected.tagSize],
    ["block size", PLACE.blockSectors, SECTOR_SIZE * 2 ** raw.blockSectorsLog2, expected.blockSize],
    ["interleave sectors", PLACE.interleave, 2 ** raw.interleaveLog2, isApart ? undefined : interleaveSectors],
    ["journal sections", PLACE.journalSections, raw.journalSections, isApart ? undefined : sections],
    ["fixed padding", PLACE.flags, has(raw, FLAG.fixedPadding), isApart ? undefined : fixPadding],
    ["fixed HMAC", PLACE.flags, has(raw, FLAG.fixedHmac), fixHmac],
    ["journal MAC", PLACE.flags, has(raw, FLAG.journalMac), expected.hasJournalMac],
    ["inline tags", PLACE.flags, has(raw, FLAG.inline), mode && mode === "I"],
  ]
  for (const [name, field, got, wanted] of compared) {
    if (wanted === undefined || got === wanted) continue
    const kind = field === PLACE.flags ? "superblock-flags" : "superblock-geometry"
    report(kind, `${name}: expected ${String(wanted)}, got ${String(got)}`, [field])
  }
}

/** The salt, the MAC, and everything that is zero. */
function checkRest(bytes: Uint8Array, raw: RawSuperblock, { journalMac }: SuperblockFacts, report: Report): void {
  const isZero = ([offset, length]: Field) => bytes.subarray(offset, offset + length).every((byte) => byte === 0)
  const hasFixedHmac = has(raw, FLAG.fixedHmac)
  if (isZero(PLACE.salt) === hasFixedHmac) {
    const message = hasFixedHmac ? "the salt is zero" : "a salt without fixed HMAC"
    report("superblock-salt", message, [PLACE.salt, PLACE.flags])
  }
  const hasMac = hasFixedHmac && has(raw, FLAG.journalMac)
  const macSize = hasMac ? Math.min(journalMac?.digestSize ?? MAC_SIZE_MAX, MAC_SIZE_MAX) : 0
  const mac: Field = [SECTOR_SIZE - macSize, macSize]
  if (hasMac && isZero(mac)) report("superblock-mac", "no MAC stands there", [mac, PLACE.flags])
  else if (hasMac && journalMac !== undefined) {
    const digest = journalMac.digest(bytes.subarray(0, mac[0]))
    const isAuthentic = digest.subarray(0, macSize).every((byte, index) => byte === bytes[mac[0] + index])
    if (!isAuthentic) report("superblock-mac", "the MAC does not match", [[0, SECTOR_SIZE]])
  }
  const zeroes: readonly Field[] = [
    [30, 2],
    [40, 8],
    [STRUCT_SIZE, mac[0] - STRUCT_SIZE],
    [SECTOR_SIZE, SUPERBLOCK_SIZE - SECTOR_SIZE],
  ]
  for (const [offset, length] of zeroes) {
    const part = bytes.subarray(offset, offset + length)
    const first = part.findIndex((byte) => byte !== 0)
    if (first < 0) continue
    const end = part.findLastIndex((byte) => byte !== 0) + 1
    report("superblock-padding", "expected zeroes", [[offset + first, end - first]])
  }
}
