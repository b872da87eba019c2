import { cbc } from "@noble/ciphers/aes.js"
import type { SectorChain } from "../cbc.ts"

/** CBC by noble; the key is expanded once per sector. */
export function portableCbc(key: Uint8Array): SectorChain {
  const ownKey = new Uint8Array(key)
  return {
    encryptSector: (sector, iv) => sector.set(cbc(ownKey, iv, { disablePadding: true }).encrypt(sector)),
    destroy: () => void ownKey.fill(0),
  }
}
