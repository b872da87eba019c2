import type { VerityReport } from "./check-verity.ts"

/** What `veritysetup verify` says of such a volume on standard error, and its exit status. */
export interface VerityVerdict {
  readonly exitCode: 0 | 1 | 2
  readonly lines: readonly string[]
}

/**
 * A report in veritysetup's words: it stops at the first finding, and compares the root hash only if there is none.
 *
 * Status 0: good. 1: the root hash does not match, or a block could not be read. 2: a bad block or a bad spare area.
 * Source: veritysetup 2.6.1, by experiment, but for blocks that cannot be read: told as a device that ends too early.
 */
export function verityVerdict({ findings, rootMatches }: VerityReport): VerityVerdict {
  const [first] = findings
  const failed = "Verification of data area failed."
  if (first?.kind === "mismatch")
    return { exitCode: 2, lines: [`Verification failed at position ${first.position}.`, failed] }
  if (first?.kind === "spare")
    return { exitCode: 2, lines: [`Spare area is not zeroed at position ${first.position}.`, failed] }
  if (first?.kind === "unreadable") return { exitCode: 1, lines: [failed] }
  return rootMatches ? { exitCode: 0, lines: [] } : { exitCode: 1, lines: ["Verification of root hash failed."] }
}
