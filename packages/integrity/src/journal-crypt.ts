import { BlockError } from "@blockstrata/device"
import { chacha20Stream, type Engine, type SectorCipherName } from "@blockstrata/primitives"
import { plainBases } from "./commit-id.ts"
import { viewOf } from "./journal-section.ts"
import type { JournalLayout } from "./layout.ts"
import type { JournalAlgorithm } from "./open-integrity.ts"

/**
 * The encryption of a whole journal, sections at a time and in place.
 *
 * - A stream cipher (`ctr(aes)`, `chacha20`): one keystream of IV zero over all sections, rounded up to 4096 bytes, and then
 *   over the bases of the commit ids, which so become secret. Every round through the journal uses the same keystream again.
 * - A block cipher (`cbc(aes)` ...): each section is one message, its IV the encryption of le32(section), padded with
 *   zeroes, under IV zero. The bases stay what they are.
 *
 * Who sees the medium twice learns of a stream cipher the difference of two contents, and of `cbc(aes)` how far they begin
 * alike; nothing here is authenticated. Linux does the same.
 *
 * Source: Linux, admin-guide/device-mapper/dm-integrity; compared with journals of Linux 6.1.
 */
export interface JournalCrypt {
  /** The four bases of the commit ids, one after the other. */
  readonly commitBases: Uint8Array
  /** Whole sections, the first of them number `sectionIndex`; at most 1 MiB. */
  encrypt(sections: Uint8Array, sectionIndex: number): void
  decrypt(sections: Uint8Array, sectionIndex: number): void
  destroy(): void
}

const PAGE_SIZE = 4096
const AES_BLOCK_SIZE = 16
const CHACHA_BLOCK_SIZE = 64
/** Modes of which each section is one message. */
const SECTION_CIPHERS: Readonly<Record<string, SectorCipherName>> = {
  "cbc(aes)": "aes-cbc",
  "ecb(aes)": "aes-ecb",
  "lrw(aes)": "aes-lrw",
  "xts(aes)": "aes-xts",
}

/** Adds keystream from byte `offset` on, a multiple of 64; `data` is not longer than 1 MiB. */
interface Keystream {
  add(data: Uint8Array, offset: number): void
  destroy(): void
}

/** @throws BlockError `UNSUPPORTED` for another cipher, `INVALID` for a key that it does not take. */
export function journalCrypt(engine: Engine, cipher: JournalAlgorithm, journal: JournalLayout): JournalCrypt {
  const { name, key } = cipher
  try {
    if (name === "ctr(aes)") return streamCrypt(counterKeystream(engine, key), journal)
    if (name === "chacha20") return streamCrypt(chachaKeystream(key), journal)
    const sectorCipher = Object.hasOwn(SECTION_CIPHERS, name) ? SECTION_CIPHERS[name] : undefined
    if (sectorCipher !== undefined) return sectionCrypt(engine, sectorCipher, key, journal)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new BlockError("INVALID", "integrity: journal_crypt: not a key of this cipher", { operation: "open" })
  }
  throw new BlockError("UNSUPPORTED", "integrity: not built yet: this journal_crypt", { operation: "open" })
}

function streamCrypt(keystream: Keystream, { sectionCount, sectionBytes }: JournalLayout): JournalCrypt {
  const commitBases = plainBases()
  keystream.add(commitBases, Math.ceil((sectionCount * sectionBytes) / PAGE_SIZE) * PAGE_SIZE)
  const add = (sections: Uint8Array, sectionIndex: number) => keystream.add(sections, sectionIndex * sectionBytes)
  return { commitBases, encrypt: add, decrypt: add, destroy: () => keystream.destroy() }
}

/** NIST SP 800-38A, 6.5: the counter is the number of the block, big-endian. */
function counterKeystream(engine: Engine, key: Uint8Array): Keystream {
  const cipher = engine.sectorCipher("aes-ctr", key)
  return {
    add(data, offset) {
      const iv = new Uint8Array(AES_BLOCK_SIZE)
      viewOf(iv).setBigUint64(8, BigInt(offset / AES_BLOCK_SIZE))
      cipher.encryptSectors(data, data, data.length, iv)
    },
    destroy: () => cipher.destroy(),
  }
}

function chachaKeystream(key: Uint8Array): Keystream {
  const stream = chacha20Stream(key)
  return {
    add: (data, offset) => stream.mask(data, offset / CHACHA_BLOCK_SIZE),
    destroy: () => stream.destroy(),
  }
}

function sectionCrypt(
  engine: Engine,
  name: SectorCipherName,
  key: Uint8Array,
  { sectionBytes }: JournalLayout,
): JournalCrypt {
  const cipher = engine.sectorCipher(name, key)
  const { ivSize } = cipher

  /** An IV for each section. */
  function ivsOf(sections: Uint8Array, sectionIndex: number): Uint8Array {
    const count = sections.length / sectionBytes
    const ivs = new Uint8Array(count * ivSize)
    if (ivSize === 0) return ivs
    const view = viewOf(ivs)
    for (let index = 0; index < count; index++) view.setUint32(index * ivSize, sectionIndex + index, true)
    cipher.encryptSectors(ivs, ivs, ivSize, new Uint8Array(ivs.length))
    return ivs
  }

  return {
    commitBases: plainBases(),
    encrypt(sections, sectionIndex) {
      cipher.encryptSectors(sections, sections, sectionBytes, ivsOf(sections, sectionIndex))
    },
    decrypt(sections, sectionIndex) {
      cipher.decryptSectors(sections, sections, sectionBytes, ivsOf(sections, sectionIndex))
    },
    destroy: () => cipher.destroy(),
  }
}
