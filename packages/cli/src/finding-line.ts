import type { IntegrityFinding } from "blockstrata"

/** `mismatch: 1 block at offset 512: ... [data 291840+512, data 95232+4]`: bytes of the devices below. */
export function findingLine({ kind, severity, message, places }: IntegrityFinding): string {
  return `${kind}${severity === "notice" ? " (notice)" : ""}: ${message} ${placeList(places)}`
}

/** Bytes of the devices below. */
export function placeList(places: IntegrityFinding["places"]): string {
  return `[${places.map(({ device, offset, length }) => `${device} ${offset}+${length}`).join(", ")}]`
}

/** What `--json` shows of a finding. */
export function findingObject({ error, ...finding }: IntegrityFinding): Record<string, unknown> {
  return error === undefined ? { ...finding } : { ...finding, code: error.code }
}
