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

/**
 * Looks at blocks from all over a volume. Where none of those that were ever written matches its tag, it is not they that
 * changed but what all tags were made with.
 */
export async function sampleTags(volume: ClosedVolume): Promise<IntegrityFinding | undefined> {
  const { media, layout, check, unitSize, sizeBytes } = volume
  const { blockSize, tagSize, startBytes } = layout
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
  if (badCount < BAD_COUNT_MIN) return undefined
  const device = metadataRole(layout)
  return {
    kind: "salt-or-key",
    severity: "damage",
    message: `none of ${badCount} blocks matches its tag: another salt, key, hash or geometry made them`,
    places: [SALT_FIELD, ...GEOMETRY_FIELDS].map(([at, length]) => ({ device, offset: startBytes + at, length })),
  }
}
