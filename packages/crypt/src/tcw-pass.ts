import { type SectorNumbering, writeSectorNumbers } from "./iv.ts"
import { TCW_KEY_SIZE } from "./key-layout.ts"
import type { SectorPass } from "./sector-pass.ts"

const SECTOR_SIZE = 512
const IV_SIZE = 16
/** Sectors whose numbers are made at a time, for whitening. */
const BATCH_SECTORS = 256
/** IEEE 802.3, 0x04c11db7, bits reversed. */
const POLYNOMIAL = 0xedb88320

/**
 * The IV of old TrueCrypt volumes, for sectors of 512 bytes: the seed, XORed with the sector number twice; and eight bytes,
 * made from whitening and number by CRC32, that go over the whole ciphertext of a sector, again and again.
 *
 * CRC32 being linear, the whitenings of two sectors differ in what everybody can compute: it hides nothing, and stands
 * here for what was written with it.
 *
 * @param key the last 32 bytes of a volume's key: the seed, then the whitening. The caller keeps them.
 * @throws RangeError sectors that are not 512 bytes, or a key of another length.
 */
export function tcwPass(numbering: SectorNumbering, key: Uint8Array): SectorPass {
  if (numbering.sectorSize !== SECTOR_SIZE)
    throw new RangeError(`tcw: expected sectors of ${SECTOR_SIZE} bytes, got ${numbering.sectorSize}`)
  if (key.length !== TCW_KEY_SIZE) throw new RangeError(`tcw: expected ${TCW_KEY_SIZE} bytes of key, got ${key.length}`)
  const words = new Uint32Array(TCW_KEY_SIZE / 4)
  const keyView = new DataView(key.buffer, key.byteOffset, key.length)
  for (let index = 0; index < words.length; index++) words[index] = keyView.getUint32(index * 4, true)
  const numbers = new Uint8Array(BATCH_SECTORS * 8)

  const fillIvs = (offset: number, ivs: Uint8Array) => {
    writeSectorNumbers(numbering, offset, ivs, IV_SIZE)
    const view = new DataView(ivs.buffer, ivs.byteOffset, ivs.length)
    for (let at = 0; at < ivs.length; at += IV_SIZE) {
      const low = view.getUint32(at, true)
      const high = view.getUint32(at + 4, true)
      view.setUint32(at, low ^ words[0]!, true)
      view.setUint32(at + 4, high ^ words[1]!, true)
      view.setUint32(at + 8, low ^ words[2]!, true)
      view.setUint32(at + 12, high ^ words[3]!, true)
    }
  }
  const whiten = (offset: number, data: Uint8Array) => {
    for (let from = 0; from < data.length; from += BATCH_SECTORS * SECTOR_SIZE) {
      const batch = data.subarray(from, from + BATCH_SECTORS * SECTOR_SIZE)
      const batchNumbers = numbers.subarray(0, (batch.length / SECTOR_SIZE) * 8)
      writeSectorNumbers(numbering, offset + from, batchNumbers, 8)
      whitenSectors(batch, batchNumbers, words)
    }
  }
  return {
    ivSize: IV_SIZE,
    beforeEncrypt(offset, source, target, ivs) {
      fillIvs(offset, ivs)
      if (target !== source) target.set(source)
    },
    afterEncrypt: whiten,
    beforeDecrypt(offset, data, ivs) {
      fillIvs(offset, ivs)
      whiten(offset, data)
    },
    afterDecrypt() {},
    destroy: () => void words.fill(0),
  }
}

/**
 * The four words of whitening, XORed with the number twice, each through CRC32; the fourth goes over the first, the third
 * over the second. Without initial value and final XOR, CRC32 is linear: one of the number's words together is enough.
 */
function whitenSectors(data: Uint8Array, numbers: Uint8Array, words: Uint32Array): void {
  const first = crc32(words[4]! ^ words[7]!)
  const second = crc32(words[5]! ^ words[6]!)
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  const numberView = new DataView(numbers.buffer, numbers.byteOffset, numbers.length)
  for (let at = 0, place = 0; at < numbers.length; at += 8) {
    const number = crc32(numberView.getUint32(at, true) ^ numberView.getUint32(at + 4, true))
    for (const end = place + SECTOR_SIZE; place < end; place += 8) {
      view.setUint32(place, view.getUint32(place, true) ^ first ^ number, true)
      view.setUint32(place + 4, view.getUint32(place + 4, true) ^ second ^ number, true)
    }
  }
}

/** CRC32 of the four bytes of a little-endian word, without initial value and final XOR. */
function crc32(word: number): number {
  let value = word
  for (let bit = 0; bit < 32; bit++) value = (value >>> 1) ^ ((value & 1) === 1 ? POLYNOMIAL : 0)
  return value
}
