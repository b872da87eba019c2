import { joinConcise } from "./concise.ts"

/** One device of a concise table: its name and its line. */
export interface TableEntry {
  readonly name: string
  readonly line: string
  readonly readOnly?: boolean | undefined
}

/**
 * dmsetup's concise form of devices of one line each, lowest first, with everything escaped that the form would take
 * for its own.
 */
export function conciseTable(entries: readonly TableEntry[]): string {
  return entries
    .map(({ name, line, readOnly = false }) => joinConcise([name, "", "", readOnly ? "ro" : "rw", line]))
    .join(";")
}
