/** Sees each request, and in snapshots what changed, as coarsely as one likes. */
const ALL = "requests, 512, 16"

/** By secret and stack, the observers who must tell the two workloads apart; all others must not. */
export const EXPECTED_OBSERVERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "which half is read": everywhere("requests"),
  "which half is written": everywhere(ALL),
  // Sixteen bytes at a time, up to AEAD: its fresh IV changes all of a sector.
  "which 16 bytes of a sector change": { ...everywhere("16"), "AEAD over integrity": "" },
  "how often it flushes": everywhere("requests"),
  "when it writes": everywhere("requests"),
  "how much it writes": everywhere(ALL),
}

function everywhere(observers: string): Record<string, string> {
  const names = ["linear", "XTS", "integrity crc32c", "AEAD over integrity", "verity"]
  return Object.fromEntries(names.map((name) => [name, observers]))
}
