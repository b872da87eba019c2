import { createCipheriv } from "node:crypto"
import type { SectorChain } from "../cbc.ts"
import type { Transform } from "./codebook.ts"
import { giveBack } from "./spent-output.ts"

const BLOCK_SIZE = 16

/** CBC by OpenSSL: one long-lived object, which goes on from sector to sector. */
export function nodeCbc(key: Uint8Array): SectorChain {
  const iv = new Uint8Array(BLOCK_SIZE)
  let encryptor: Transform | undefined = createCipheriv(`aes-${key.length * 8}-cbc`, key, iv).setAutoPadding(false)
  // The last ciphertext block, which OpenSSL will XOR with the next block: the XOR with it here takes that away.
  const last = iv
  return {
    encryptSector(sector, sectorIv) {
      for (let index = 0; index < BLOCK_SIZE; index++) {
        sector[index] = sector[index]! ^ sectorIv[index]! ^ last[index]!
      }
      const output = encryptor!.update(sector)
      sector.set(output)
      last.set(output.subarray(-BLOCK_SIZE))
      giveBack(output)
    },
    destroy() {
      encryptor = undefined
    },
  }
}
