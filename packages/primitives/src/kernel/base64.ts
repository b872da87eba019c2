const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/** The bytes of a base64 text with padding (RFC 4648, 4). `atob` is no part of the language; kernels must load without it. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  for (let index = 0, at = 0; index < text.length; index += 4) {
    let bits = 0
    for (let part = 0; part < 4; part++) bits = bits * 64 + Math.max(ALPHABET.indexOf(text.charAt(index + part)), 0)
    for (const byte of [bits >>> 16, bits >>> 8, bits]) if (at < bytes.length) bytes[at++] = byte
  }
  return bytes
}
