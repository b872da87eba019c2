/** The volumes that must read whole, and be written back to the same bytes where nothing in them is random. */
export const coveredVectors: readonly string[] = [
  "crypt-aes-cbc-essiv-4096",
  "crypt-aes-cbc-essiv-sha256",
  "crypt-aes-cbc-plain64",
  "crypt-aes-xts-plain64-2048",
  "crypt-aes-xts-plain64-256key",
  "crypt-aes-xts-plain64-4096",
  "crypt-aes-xts-plain64-4096-large-iv",
  "crypt-aes-xts-plain64-512",
  "crypt-aes-xts-tcg",
  "crypt-aes128-cbc-essiv-sha256",
  "crypt-capi-aes-xts",
  "crypt-capi-essiv",
  "crypt-integrity-aes-gcm-random",
  "crypt-integrity-aes-xts-plain64-hmac-sha256",
  "crypt-integrity-aes-xts-random-hmac-sha256",
  "crypt-integrity-chacha20poly1305-random",
  "integrity-crc32c-direct",
  "integrity-crc32c-journal",
  "integrity-crc32c-journal-small",
  "integrity-discard",
  "integrity-hmac-sha256-journal",
  "integrity-interleave",
  "integrity-legacy-padding",
  "integrity-sha256-4k",
  "integrity-sha256-tag16",
  "verity-sha256",
  "verity-sha256-1k-data-4k-hash",
  "verity-sha256-deep",
  "verity-sha256-hash-offset",
  "verity-sha256-no-superblock",
  "verity-sha256-nosalt",
  "verity-sha256-same-device",
]

/** Closed cleanly in bitmap mode: they read, and are not written. */
export const bitmapVectors: readonly string[] = ["integrity-crc32c-bitmap-4k", "integrity-hmac-sha256-bitmap"]

/** Tags in the metadata area of a device: they read through a tagged operand. */
export const inlineVectors: readonly string[] = ["integrity-inline-aes-gcm"]
