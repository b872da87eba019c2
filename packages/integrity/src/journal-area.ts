import { type BlockDevice, settleAll } from "@blockstrata/device"
import { type CommitIds, commitIds, plainBases } from "./commit-id.ts"
import type { JournalCrypt } from "./journal-crypt.ts"
import type { JournalMac } from "./journal-mac.ts"
import { clearSection, type SectionShape } from "./journal-section.ts"

/** How the journal of a volume is protected beside its commit ids. */
export interface JournalProtection {
  readonly crypt?: JournalCrypt | undefined
  readonly mac?: JournalMac | undefined
}

export interface JournalAreaOptions extends JournalProtection {
  /** Where the journal lies: the device of the metadata. */
  readonly lower: BlockDevice
  readonly shape: SectionShape
}

/** The sections of a journal on their device: whole ones, decrypted when they come and sealed when they go. */
export interface JournalArea {
  readonly shape: SectionShape
  readonly sectionCount: number
  readonly sectionBytes: number
  /** Sections that fit into 1 MiB, at least one: as many as one call takes. */
  readonly batchCount: number
  readonly ids: CommitIds
  readonly mac: JournalMac | undefined
  /** Fills `sections` with those from `first` on, decrypted. Nothing is checked. */
  read(first: number, sections: Uint8Array): Promise<void>
  /** Puts commit ids of `sequence` and MACs, encrypts, all in place, and writes. Durable after a flush of the device. */
  write(first: number, sections: Uint8Array, sequence: number): Promise<void>
  /** Writes `count` sections without entries. */
  clear(first: number, count: number, sequence: number): Promise<void>
  /** Writes zeroes over a section: it is then none of this journal, nor is the journal one. */
  erase(sectionIndex: number): Promise<void>
  flush(): Promise<void>
  destroy(): void
}

const BATCH_BYTES = 1024 * 1024

/** The journal of one volume. Owns the keys of `crypt` and `mac`, not the device. */
export function journalArea({ lower, shape, crypt, mac }: JournalAreaOptions): JournalArea {
  const { offset, sectionCount, sectionBytes } = shape.journal
  const ids = commitIds(crypt?.commitBases ?? plainBases())
  const batchCount = Math.max(1, Math.floor(BATCH_BYTES / sectionBytes))

  async function write(first: number, sections: Uint8Array, sequence: number): Promise<void> {
    for (let index = 0; index < sections.length / sectionBytes; index++) {
      const section = sections.subarray(index * sectionBytes, (index + 1) * sectionBytes)
      ids.put(section, first + index, sequence)
      mac?.put(section, first + index)
    }
    crypt?.encrypt(sections, first)
    await lower.write(offset + first * sectionBytes, sections)
  }

  return {
    ...{ shape, sectionCount, sectionBytes, batchCount, ids, mac, write },
    async read(first, sections) {
      await lower.read(offset + first * sectionBytes, sections)
      crypt?.decrypt(sections, first)
    },
    async clear(first, count, sequence) {
      for (let at = first; at < first + count; at += batchCount) {
        const sections = new Uint8Array(Math.min(batchCount, first + count - at) * sectionBytes)
        for (let start = 0; start < sections.length; start += sectionBytes) {
          clearSection(sections.subarray(start, start + sectionBytes), shape)
        }
        await write(at, sections, sequence)
      }
    },
    erase: (sectionIndex) => lower.write(offset + sectionIndex * sectionBytes, new Uint8Array(sectionBytes)),
    flush: () => lower.flush(),
    destroy() {
      crypt?.destroy()
      mac?.destroy()
    },
  }
}

/** Flushes both devices; they may be the same. */
export async function flushBoth(one: BlockDevice, other: BlockDevice): Promise<void> {
  await settleAll(one === other ? [one.flush()] : [one.flush(), other.flush()])
}
