import { type CryptOptions, cryptTarget, cryptWord } from "@blockstrata/crypt"
import { type BlockDevice, share } from "@blockstrata/device"
import { formatIntegrity, type InternalHash, openIntegrity } from "@blockstrata/integrity"
import { openTable, parseTable } from "@blockstrata/mapper"
import { linearTarget, linearWord, mirrorTarget, stripedTarget, stripedWord } from "@blockstrata/targets"
import { type CreateSeededStack, type SeededWish, seededRandom } from "@blockstrata/testkit"

const CHUNK = 4096
export const key = (length: number): Uint8Array => seededRandom(2, "crypt key").bytes(length)

/** A range in the middle of one medium. */
export const linear =
  (size = 64 * 1024, blockSize = 512): CreateSeededStack =>
  ({ medium }) =>
    linearTarget({ lower: medium("disk", { size: size + 3 * CHUNK, blockSize }), start: CHUNK, size })

/** Chunks of 4 KiB on three media of their own. */
export const striped: CreateSeededStack = ({ medium }) =>
  stripedTarget({
    size: 3 * 16 * 1024,
    chunkSize: CHUNK,
    lowers: ["one", "two", "three"].map((name) => ({ lower: medium(name, { size: 32 * 1024 }), start: 2 * CHUNK })),
  })

/** Two legs on media of their own, made equal before anybody reads. */
export const mirror: CreateSeededStack = async ({ medium }) => {
  const legs = ["one", "two"].map((name, index) => ({ lower: medium(name, { size: 32 * 1024 }), start: index * CHUNK }))
  const { device, resync } = mirrorTarget({ legs, size: 24 * 1024 })
  await resync()
  return device
}

/** Legs on media of their own, and one more medium that says which of them are stale. */
async function mirrorWithNotes({ medium }: SeededWish, legCount: number, onDegraded: () => void) {
  const size = 24 * 1024
  const indexes = Array.from({ length: legCount }, (_, index) => index)
  const legs = indexes.map((index) => ({ lower: medium(`leg ${index}`, { size }), start: 0 }))
  const notes = medium("notes", { size: 512 })
  const note = new Uint8Array(512)
  let last: Promise<void> = Promise.resolve()
  /** One after the other: an older note must not land on a newer one. */
  const record = (stale: readonly number[]) => {
    last = last
      .catch(() => {})
      .then(async () => {
        await notes.write(
          0,
          new Uint8Array(512).map((_, index) => Number(stale.includes(index))),
        )
        await notes.flush()
      })
    return last
  }
  await notes.read(0, note)
  const staleLegs = indexes.filter((index) => note[index] === 1)
  const onLegFailure = async (stale: readonly number[]) => {
    await record(stale)
    onDegraded()
  }
  const { device, resync } = mirrorTarget({ legs, size, staleLegs, onLegFailure })
  const recordCurrent = () => {
    const status = device.layer.status()
    return record(indexes.filter((index) => !String(status[`leg${index}`]).startsWith("live")))
  }
  await resync()
  if (staleLegs.length > 0) await recordCurrent()
  return { device, resync, recordCurrent }
}

/** One that goes on without a leg that failed. */
export const degradedMirror: CreateSeededStack = async (wish) => (await mirrorWithNotes(wish, 2, () => {})).device

/** Three legs; one that failed is made current again soon after, beside requests. */
export const healingMirror: CreateSeededStack = async (wish) => {
  let isWaiting = false
  const { device, resync, recordCurrent } = await mirrorWithNotes(wish, 3, () => {
    if (isWaiting) return
    isWaiting = true
    wish.runtime.setTimer(40, () => {
      isWaiting = false
      // What fails here leaves legs stale, until the next opening.
      resync()
        .then(recordCurrent)
        .catch(() => {})
    })
  })
  return device
}

export const crypt =
  (cipher: string, keyBytes: number, more: Partial<CryptOptions> = {}): CreateSeededStack =>
  ({ medium, runtime }) => {
    const size = 64 * 1024
    const lower = medium("disk", { size })
    return cryptTarget({ lower, size, cipher, key: key(keyBytes), ivOffsetSectors: 0, runtime, ...more })
  }

/** Sectors with their tags on a medium that keeps both. */
export const aead: CreateSeededStack = ({ medium, runtime }) => {
  const size = 64 * 1024
  const lower = medium("disk", { size, tagSize: 28 })
  return cryptTarget({
    ...{ lower, size, cipher: "capi:gcm(aes)-random", key: key(32), ivOffsetSectors: 0, runtime },
    integrity: { tagSize: 28, kind: "aead" },
  })
}

/** dm-integrity in mode D, formatted when it is new. */
async function integrityVolume(
  { medium, isNew, runtime }: SeededWish,
  volume: { readonly tagSize: number; readonly blockSize: number; readonly internalHash: InternalHash | undefined },
  size: number,
): Promise<BlockDevice> {
  const lower = medium("disk", { size: 256 * 1024 })
  if (isNew) {
    const area = { interleaveSectors: 128, journalSectors: 64, mode: "D", wipe: true } as const
    await formatIntegrity({ ...volume, ...area, lower: share(lower), runtime })
  }
  return await openIntegrity({ ...volume, lower, size, mode: "D", runtime })
}

export const integrity =
  (blockSize = 512): CreateSeededStack =>
  (wish) =>
    integrityVolume(wish, { tagSize: 4, blockSize, internalHash: { name: "crc32c" } }, 32 * 1024)

/** Regions are marked while they are written, and no longer than a second. */
export const bitmapped: CreateSeededStack = async ({ medium, isNew, runtime }) => {
  const lower = medium("disk", { size: 256 * 1024 })
  const internalHash = { name: "crc32c" } as const
  const area = { interleaveSectors: 128, journalSectors: 64, mode: "B", wipe: true } as const
  if (isNew) await formatIntegrity({ lower: share(lower), tagSize: 4, blockSize: 512, internalHash, ...area, runtime })
  const regions = { sectorsPerBit: 8, bitmapFlushIntervalMs: 1000 }
  return await openIntegrity({ lower, size: 32 * 1024, mode: "B", internalHash, ...regions, runtime })
}

/** AES-GCM over dm-integrity, which keeps its tags and checks nothing. */
export const aeadOverIntegrity: CreateSeededStack = async (wish) => {
  const [size, tagSize] = [16 * 1024, 28]
  const lower = await integrityVolume(wish, { tagSize, blockSize: 512, internalHash: undefined }, size)
  const cipher = { cipher: "capi:gcm(aes)-random", key: key(32), ivOffsetSectors: 0 }
  return cryptTarget({ lower, size, ...cipher, runtime: wish.runtime, integrity: { tagSize, kind: "aead" } })
}

/** dm-integrity in mode J, formatted when it is new, on a medium of this name. */
async function journaledVolume(
  { medium, isNew, runtime }: SeededWish,
  name: string,
  options: { readonly tagSize: number; readonly journalSectors: number; readonly allowDiscards?: boolean },
): Promise<BlockDevice> {
  const lower = medium(name, { size: 48 * 1024 + options.journalSectors * 512 })
  const internalHash = { name: "crc32c" } as const
  const format = { ...options, blockSize: 512, internalHash, interleaveSectors: 64, wipe: true }
  if (isNew) await formatIntegrity({ ...format, lower: share(lower), runtime })
  const { allowDiscards } = options
  return await openIntegrity({ lower, size: 12 * 1024, mode: "J", internalHash, allowDiscards, runtime })
}

/** Large tags make small sections, and so several of them. */
const SMALL_SECTIONS = { tagSize: 240, journalSectors: 48 }

export const journaled: CreateSeededStack = (wish) => journaledVolume(wish, "disk", SMALL_SECTIONS)

/** No tag crosses sectors: one that does may be torn where its block is given up. */
export const journaledDiscards: CreateSeededStack = (wish) =>
  journaledVolume(wish, "disk", { tagSize: 16, journalSectors: 400, allowDiscards: true })

/** Two legs that authenticate their blocks, each with a journal: what RAID 1 over dm-integrity is used for. */
export const mirrorOfJournals: CreateSeededStack = async (wish) => {
  const lowers = [
    await journaledVolume(wish, "one", SMALL_SECTIONS),
    await journaledVolume(wish, "two", SMALL_SECTIONS),
  ]
  const { device, resync } = mirrorTarget({ legs: lowers.map((lower) => ({ lower, start: 0 })), size: 12 * 1024 })
  await resync()
  return device
}

const hexKey = "00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f"

/** Three ranges of two media, as a table says. */
export const table: CreateSeededStack = async ({ medium }) => {
  const text = [
    "0 24 linear one.img 8",
    `24 24 crypt aes-xts-plain64 ${hexKey} 0 two.img 32`,
    "48 32 striped 2 8 one.img 40 two.img 64",
  ].join("\n")
  const media = new Map(["one.img", "two.img"].map((name) => [name, medium(name, { size: 64 * 1024 })]))
  const opened = await openTable(parseTable(text, [linearWord, stripedWord, cryptWord]), {
    openOperand: async (operand) => media.get((operand as { path: string }).path) as BlockDevice,
  })
  return opened.device
}
