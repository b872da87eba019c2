import { decodeHex, encodeHex, type Runtime } from "@blockstrata/device"

const PATTERN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** 16 bytes as the lower-case text of a UUID. RFC 9562, section 4. */
export function formatUuid(bytes: Uint8Array): string {
  const hex = encodeHex(bytes)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-")
}

/** The 16 bytes of a UUID's text. @throws RangeError if it is none. */
export function encodeUuid(text: string): Uint8Array {
  const bytes = PATTERN.test(text) ? decodeHex(text.replaceAll("-", "")) : undefined
  if (bytes === undefined) throw new RangeError("uuid: expected 8-4-4-4-12 hexadecimal digits")
  return bytes
}

/** A random UUID: version 4, variant 10. RFC 9562, section 5.4. */
export function randomUuid(runtime: Runtime): string {
  const bytes = new Uint8Array(16)
  runtime.fillRandom(bytes)
  bytes[6] = ((bytes[6] ?? 0) % 16) + 0x40
  bytes[8] = ((bytes[8] ?? 0) % 64) + 0x80
  return formatUuid(bytes)
}
