import type { BlockError } from "@blockstrata/device"

/** A run of blocks that is not as the tree says, or a spare area. */
export interface VerityFinding {
  /**
   * `mismatch`: blocks that do not have the hash that is stored for them; `spare`: what lies behind the last hash of
   * a level is not zero; `unreadable`: the device did not give the blocks.
   */
  readonly kind: "mismatch" | "spare" | "unreadable"
  readonly area: "data" | "hash"
  /** Bytes from the start of the device of that area. veritysetup's "position". */
  readonly position: number
  /** Bytes. */
  readonly length: number
  /** Why it could not be read. */
  readonly error?: BlockError | undefined
}

export interface Reporter {
  readonly findings: VerityFinding[]
  add(finding: VerityFinding): void
  count(): number
}

/** Neighbours of a kind become one finding; the list stays bounded, whatever the medium holds. */
export function reporter(findingsMax: number): Reporter {
  const findings: VerityFinding[] = []
  let last: VerityFinding | undefined
  let findingCount = 0
  return {
    findings,
    count: () => findingCount,
    add(finding) {
      const isNext =
        last !== undefined &&
        finding.kind !== "spare" &&
        last.kind === finding.kind &&
        last.area === finding.area &&
        last.position + last.length === finding.position
      if (isNext && last !== undefined) {
        last = { ...last, length: last.length + finding.length }
        if (findingCount <= findingsMax) findings[findings.length - 1] = last
        return
      }
      last = finding
      findingCount++
      if (findingCount <= findingsMax) findings.push(finding)
    },
  }
}
