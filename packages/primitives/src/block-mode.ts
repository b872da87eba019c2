import { cbcMode, type SectorChain } from "./cbc.ts"
import { ctrMode } from "./ctr.ts"
import { ecbMode } from "./ecb.ts"
import type { BlockCipher, SectorCipher } from "./engine.ts"
import { guardSectorCipher } from "./guard.ts"
import { LRW_TWEAK_KEY_SIZE, lrwMode } from "./lrw.ts"
import { requireName } from "./misuse.ts"
import { type SectorMode, sectorCipherOf } from "./sector-mode.ts"
import { xtsMode } from "./xts.ts"

/** The modes of a sector cipher, over any block cipher of 16 bytes. */
export type SectorModeName = "ecb" | "cbc" | "ctr" | "xts" | "lrw"

const MODE_NAMES = { ecb: true, cbc: true, ctr: true, xts: true, lrw: true }
const BLOCK_SIZE = 16

/**
 * A mode over a block cipher that the caller brings along, for ciphers that no engine has.
 *
 * @param createBlock makes the block cipher of a key; `xts` makes two, of the halves of `key`, and `lrw` takes the last 16
 * bytes of `key` for its tweaks. Its `encryptBlocks` and `decryptBlocks` have to work in place. The sector cipher owns
 * what it made.
 * @throws RangeError if its blocks are not of 16 bytes, or a wrong name; what `createBlock` throws.
 */
export function sectorCipherOver(
  name: SectorModeName,
  createBlock: (key: Uint8Array) => BlockCipher,
  key: Uint8Array,
): SectorCipher {
  requireName("mode", name, MODE_NAMES)
  return guardSectorCipher(sectorCipherOf(createMode(name, (part) => checked(createBlock(part)), key)))
}

function createMode(name: SectorModeName, create: (key: Uint8Array) => BlockCipher, key: Uint8Array): SectorMode {
  if (name === "ecb") return ecbMode(create(key))
  if (name === "ctr") return ctrMode(create(key))
  if (name === "cbc") {
    const cipher = create(key)
    return cbcMode(cipher, chainOver(cipher))
  }
  const cut = name === "xts" ? key.length / 2 : key.length - LRW_TWEAK_KEY_SIZE
  const [dataKey, tweakKey] = [key.subarray(0, cut), key.subarray(cut)]
  return name === "lrw" ? lrwMode(create(dataKey), tweakKey) : xtsMode(create(dataKey), create(tweakKey))
}

function checked(cipher: BlockCipher): BlockCipher {
  if (cipher.blockSize !== BLOCK_SIZE)
    throw new RangeError(`block cipher: expected blocks of ${BLOCK_SIZE} bytes, got ${cipher.blockSize}`)
  return cipher
}

/** One block after the other; the mode destroys the cipher. */
function chainOver(cipher: BlockCipher): SectorChain {
  return {
    encryptSector(sector, iv) {
      let previous = iv
      for (let at = 0; at < sector.length; at += BLOCK_SIZE) {
        const block = sector.subarray(at, at + BLOCK_SIZE)
        for (let index = 0; index < BLOCK_SIZE; index++) block[index] = block[index]! ^ previous[index]!
        cipher.encryptBlocks(block, block)
        previous = block
      }
    },
    destroy() {},
  }
}
