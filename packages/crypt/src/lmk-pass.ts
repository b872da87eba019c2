import { _MD5 } from "@noble/hashes/legacy.js"
import { type SectorNumbering, writeSectorNumbers } from "./iv.ts"
import type { SectorPass } from "./sector-pass.ts"

const SECTOR_SIZE = 512
const IV_SIZE = 16
const MD5_BLOCK_SIZE = 64
/** Whole blocks of plaintext behind the first 16 bytes, and the bytes of it in the last block. */
const WHOLE_BLOCK_COUNT = 7
const LAST_SIZE = 48
/** What is hashed: 496 bytes of plaintext and 7 of the sector number. */
const HASHED_BITS = (496 + 7) * 8

/**
 * The IV of loop-AES, for sectors of 512 bytes: MD5 of all their plaintext but the first 16 bytes, and of 56 bits of the
 * sector number. It is known only when these are decrypted, so they are, with an IV of zeros, and then the IV goes over
 * the first 16. Version 3 of loop-AES has a `seed`, 16 to 64 bytes of which 16 count; version 2 has none.
 *
 * For CBC alone: under another mode an IV over the first 16 bytes is not what was encrypted, and, as in Linux, nothing that
 * is written can be read. Nobody is told of a change. MD5 stands here for what was written with it.
 *
 * @throws RangeError sectors that are not 512 bytes, or a seed of another length.
 */
export function lmkPass(numbering: SectorNumbering, seed?: Uint8Array): SectorPass {
  if (numbering.sectorSize !== SECTOR_SIZE)
    throw new RangeError(`lmk: expected sectors of ${SECTOR_SIZE} bytes, got ${numbering.sectorSize}`)
  if (seed !== undefined && (seed.length < IV_SIZE || seed.length > MD5_BLOCK_SIZE))
    throw new RangeError(`lmk: expected a seed of ${IV_SIZE} ... ${MD5_BLOCK_SIZE} bytes, got ${seed.length}`)
  const md5 = new SectorMd5(seed)

  const fillIvs = (offset: number, data: Uint8Array, ivs: Uint8Array) => {
    writeSectorNumbers(numbering, offset, ivs, IV_SIZE)
    md5.hashSectors(data, ivs)
  }
  return {
    ivSize: IV_SIZE,
    beforeEncrypt(offset, source, target, ivs) {
      fillIvs(offset, source, ivs)
      if (target !== source) target.set(source)
    },
    afterEncrypt() {},
    beforeDecrypt(_offset, _data, ivs) {
      ivs.fill(0)
    },
    afterDecrypt(offset, data, ivs) {
      fillIvs(offset, data, ivs)
      for (let at = 0, sector = 0; at < ivs.length; at += IV_SIZE, sector += SECTOR_SIZE) {
        for (let index = 0; index < IV_SIZE; index++) data[sector + index]! ^= ivs[at + index]!
      }
    },
    destroy: () => md5.destroy(),
  }
}

/**
 * MD5 of sectors, each from the state that the seed left: the end of the hash, a bit and the length, does not count the
 * seed, so it is written here. (RFC 1321, 3.1 and 3.2.)
 */
class SectorMd5 extends _MD5 {
  readonly #start: [number, number, number, number]
  readonly #last = new DataView(new ArrayBuffer(MD5_BLOCK_SIZE))

  constructor(seed: Uint8Array | undefined) {
    super()
    if (seed !== undefined) {
      const block = new Uint8Array(MD5_BLOCK_SIZE)
      // As Linux does it, also where keys are longer.
      block.set(seed.subarray(0, IV_SIZE))
      this.update(block)
      block.fill(0)
    }
    this.#start = this.get()
  }

  /** `ivs` holds the number of each sector, le64 at the start of 16 bytes; in its place comes the IV. */
  hashSectors(data: Uint8Array, ivs: Uint8Array): void {
    const sectors = new DataView(data.buffer, data.byteOffset, data.length)
    const view = new DataView(ivs.buffer, ivs.byteOffset, ivs.length)
    const last = this.#last
    for (let at = 0, place = IV_SIZE; at < ivs.length; at += IV_SIZE, place += IV_SIZE + LAST_SIZE) {
      this.set(...this.#start)
      for (let count = 0; count < WHOLE_BLOCK_COUNT; count++, place += MD5_BLOCK_SIZE) this.process(sectors, place)
      for (let index = 0; index < LAST_SIZE; index += 4)
        last.setUint32(index, sectors.getUint32(place + index, true), true)
      last.setUint32(LAST_SIZE, view.getUint32(at, true), true)
      // Seven bytes of the number, and the bit that ends a message.
      last.setUint32(LAST_SIZE + 4, (view.getUint32(at + 4, true) & 0xffffff) | 0x80000000, true)
      last.setUint32(LAST_SIZE + 8, HASHED_BITS, true)
      last.setUint32(LAST_SIZE + 12, 0, true)
      this.process(last, 0)
      const state = this.get()
      for (let index = 0; index < 4; index++) view.setUint32(at + index * 4, state[index]!, true)
    }
    this.roundClean()
  }

  override destroy(): void {
    super.destroy()
    this.#start.fill(0)
    new Uint8Array(this.#last.buffer).fill(0)
  }
}
