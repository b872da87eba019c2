import type { BlockCipher } from "./engine.ts"
import type { SectorMode } from "./sector-mode.ts"

/** Electronic codebook: every block on its own, no IV. NIST SP 800-38A, 6.1. */
export function ecbMode(cipher: BlockCipher): SectorMode {
  return {
    ivSize: 0,
    encryptPiece: (source, target) => cipher.encryptBlocks(source, target),
    decryptPiece: (source, target) => cipher.decryptBlocks(source, target),
    destroy: () => cipher.destroy(),
  }
}
