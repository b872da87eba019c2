import { BlockError } from "@blockstrata/device"
import { taggedReader } from "./block-sweep.ts"
import type { ClosedVolume } from "./closed-volume.ts"
import { type IntegrityFinding, metadataRole } from "./finding.ts"
import { GEOMETRY_FIELDS, SALT_FIELD } from "./superblock-findings.ts"
import { DISCARD_FILLER } from "./tag-check.ts"

/** Places that are tried. */
const SAMPLE_COUNT = 64
/** Fewer bad blocks may be bad each for itself. */
const BAD_COUNT_MIN = 8

/** Sectors of a journal that are none of it: fewer may have changed each for itself. */
const UNKNOWN_COUNT_MIN = 8

/**
 * Looks at blocks from all over a volume. Where none of those that were ever written matches its tag, it is not they that
 * changed but what all tags were made with, or where they lie.
 *
 * @param unknownSectorCount sectors of the journal that have no commit id of it.
 */
export async function sampleFinding(
  volume: ClosedVolume,
  unknownSectorCount: number,
): Promise<IntegrityFinding | undefined> {
  const badCount = volume.check && (await sampleTags(volume))
  if (badCount === undefined) return undefined
  const { layout } = volume
  const device = metadataRole(layout)
  const placesOf = (fields: typeof GEOMETRY_FIELDS) =>
    fields.map(([at, length]) => ({ device, offset: layout.startBytes + at, length }))
  if (badCount >= BAD_COUNT_MIN) {
    return {
      kind: "salt-or-key",
      severity: "damage",
      message: `none of ${badCount} blocks matches its tag: another salt, key, hash or geometry made them`,
      places: placesOf([SALT_FIELD, ...GEOMETRY_FIELDS]),
    }
  }
  if (unknownSectorCount < UNKNOWN_COUNT_MIN) return undefined
  return {
    kind: "superblock-geometry",
    severity: "notice",
    message: `no block of a sample matches, and ${unknownSectorCount} sectors of the journal are none of it: these fields may be others than it was made with`,
    places: placesOf(GEOMETRY_FIELDS),
  }
}

/** How many blocks of a sample do not match that were ever written; undefined if one does. */
async function sampleTags({ media, layout, check, unitSize, sizeBytes }: ClosedVolume): Promise<number | undefined> {
  const { blockSize, tagSize } = layout
  const read = taggedReader(media, layout)
  const [unit, tags] = [new Uint8Array(unitSize), new Uint8Array((unitSize / blockSize) * tagSize)]
  const [data, tag] = [unit.subarray(0, blockSize), tags.subarray(0, tagSize)]
  const step = Math.max(1, Math.floor(sizeBytes / unitSize / SAMPLE_COUNT)) * unitSize
  let badCount = 0
  // The first block of an area has its tag where any tag size puts it, and a shorter one may match.
  const isFirst = (offset: number) => offset % layout.interleaveBytes === 0 && layout.interleaveBytes > unitSize
  for (let place = 0; place < sizeBytes; place += step) {
    const offset = isFirst(place) ? place + unitSize : place
    if (offset >= sizeBytes) break
    try {
      await read(offset, unit, tags)
    } catch (error) {
      if (error instanceof BlockError) continue
      throw error
    }
    const isWritten = tag.some((byte) => byte !== 0) && tag.some((byte) => byte !== DISCARD_FILLER)
    if (!isWritten) continue
    if (check?.firstMismatch(offset, data, tag) === undefined) return undefined
    badCount += 1
  }
  return badCount
}
