/**
 * The name in the Linux crypto API of what integritysetup calls `hmac-sha256` or `ctr-aes`: `hmac(sha256)`, `ctr(aes)`. Other
 * names are the same in both.
 */
export function linuxAlgorithmName(name: string): string {
  return name.replace(/^(hmac|ctr|cbc|ecb|xts|lrw)-(.+)$/, "$1($2)")
}
