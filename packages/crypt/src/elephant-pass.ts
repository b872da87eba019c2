import type { Engine } from "@blockstrata/primitives"
import { diffuse, undiffuse } from "./elephant-diffuser.ts"
import { type IvGenerator, type SectorNumbering, writeSectorOffsets } from "./iv.ts"
import type { SectorPass } from "./sector-pass.ts"

const IV_SIZE = 16
const SECTOR_KEY_SIZE = 32
/** Sectors whose keys are made at a time. */
const BATCH_SECTORS = 256

/** What is done to a sector, as words, between its two forms; `key` is the sector's, eight words. */
type Mix = (words: Int32Array, key: Int32Array) => void

/**
 * BitLocker's Elephant, beside the IV `eboiv`: a second key makes a key for each sector, which goes over the plaintext, and
 * two diffusers mix the sector. So a bit that is flipped on the medium makes noise of a whole sector, where CBC alone lets
 * it be aimed; but nobody is told.
 *
 * @param iv `eboiv` under the key of the sectors. The pass owns it.
 * @param key the second half of a volume's key: 16, 24 or 32 bytes, for AES. The caller keeps it.
 * @throws RangeError a key of another length.
 *
 * Source: Ferguson, AES-CBC + Elephant diffuser, 2006.
 */
export function elephantPass(numbering: SectorNumbering, iv: IvGenerator, key: Uint8Array, engine: Engine): SectorPass {
  const { sectorSize } = numbering
  const cipher = engine.blockCipher("aes", key)
  const words = new Int32Array(sectorSize / 4)
  const sectorKey = new Int32Array(SECTOR_KEY_SIZE / 4)
  const scratch = new Uint8Array(BATCH_SECTORS * SECTOR_KEY_SIZE)

  /** A sector's key is its place, encrypted, twice: the second time with its last byte 0x80. */
  const fillSectorKeys = (offset: number, keys: Uint8Array) => {
    keys.fill(0)
    writeSectorOffsets(numbering, offset, keys, SECTOR_KEY_SIZE)
    writeSectorOffsets(numbering, offset, keys.subarray(SECTOR_KEY_SIZE / 2), SECTOR_KEY_SIZE)
    for (let at = SECTOR_KEY_SIZE - 1; at < keys.length; at += SECTOR_KEY_SIZE) keys[at] = 0x80
    cipher.encryptBlocks(keys, keys)
  }
  const mixSectors = (offset: number, source: Uint8Array, target: Uint8Array, mix: Mix) => {
    const from = viewOf(source)
    const to = viewOf(target)
    const keys = viewOf(scratch)
    const batchSize = BATCH_SECTORS * sectorSize
    for (let at = 0; at < source.length; at += sectorSize) {
      if (at % batchSize === 0) {
        const count = Math.min(BATCH_SECTORS, (source.length - at) / sectorSize)
        fillSectorKeys(offset + at, scratch.subarray(0, count * SECTOR_KEY_SIZE))
      }
      readWords(keys, ((at % batchSize) / sectorSize) * SECTOR_KEY_SIZE, sectorKey)
      readWords(from, at, words)
      mix(words, sectorKey)
      for (let index = 0; index < words.length; index++) to.setInt32(at + index * 4, words[index]!, true)
    }
    for (const used of [words, sectorKey, scratch]) used.fill(0)
  }

  return {
    ivSize: IV_SIZE,
    beforeEncrypt(offset, source, target, ivs) {
      iv.fill(offset, ivs)
      mixSectors(offset, source, target, encryptMix)
    },
    afterEncrypt() {},
    beforeDecrypt(offset, _data, ivs) {
      iv.fill(offset, ivs)
    },
    afterDecrypt(offset, data) {
      mixSectors(offset, data, data, decryptMix)
    },
    destroy() {
      cipher.destroy()
      iv.destroy()
    },
  }
}

function encryptMix(words: Int32Array, key: Int32Array): void {
  xorKey(words, key)
  diffuse(words)
}

function decryptMix(words: Int32Array, key: Int32Array): void {
  undiffuse(words)
  xorKey(words, key)
}

function xorKey(words: Int32Array, key: Int32Array): void {
  const mask = key.length - 1
  for (let index = 0; index < words.length; index++) words[index]! ^= key[index & mask]!
}

/** Little-endian words, on any host and from any place. */
function readWords(view: DataView, at: number, words: Int32Array): void {
  for (let index = 0; index < words.length; index++) words[index] = view.getInt32(at + index * 4, true)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
