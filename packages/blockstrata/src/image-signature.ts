/** Bytes from the start of an image that are enough to tell its format. */
export const SIGNATURE_BYTES = 4096

export type ImageFormat = "luks1" | "luks2" | "verity" | "integrity" | "snapshot" | "clone" | "log-writes" | "unknown"

interface Signature {
  readonly format: ImageFormat
  readonly offset: number
  readonly bytes: readonly number[]
}

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0))

/**
 * | format     | offset | bytes                                       |
 * | luks1/2    |      0 | `LUKS` ba be, u16 big-endian version 1 or 2 |
 * | luks2      |      0 | `SKUL` ba be (the second header)            |
 * | verity     |      0 | `verity` 0 0                                |
 * | integrity  |      0 | `integrt` 0                                 |
 * | snapshot   |      0 | `SnAp`                                      |
 * | log-writes |      0 | u64 0x6a736677736872                        |
 * | clone      |     32 | u64 0x8af27f64 (after checksum, flags, block number, uuid) |
 *
 * Sources: the LUKS1 and LUKS2 specifications; Linux, drivers/md, and its admin-guide/device-mapper.
 */
const SIGNATURES: readonly Signature[] = [
  { format: "luks1", offset: 0, bytes: [...ascii("LUKS"), 0xba, 0xbe, 0, 1] },
  { format: "luks2", offset: 0, bytes: [...ascii("LUKS"), 0xba, 0xbe, 0, 2] },
  { format: "luks2", offset: 0, bytes: [...ascii("SKUL"), 0xba, 0xbe, 0, 2] },
  { format: "verity", offset: 0, bytes: [...ascii("verity"), 0, 0] },
  { format: "integrity", offset: 0, bytes: [...ascii("integrt"), 0] },
  { format: "snapshot", offset: 0, bytes: ascii("SnAp") },
  { format: "log-writes", offset: 0, bytes: [0x72, 0x68, 0x73, 0x77, 0x66, 0x73, 0x6a, 0] },
  { format: "clone", offset: 32, bytes: [0x64, 0x7f, 0xf2, 0x8a, 0, 0, 0, 0] },
]

/** What the first bytes of an image say it is. */
export function detectFormat(start: Uint8Array): ImageFormat {
  const found = SIGNATURES.find(({ offset, bytes }) => bytes.every((byte, index) => start[offset + index] === byte))
  return found?.format ?? "unknown"
}
