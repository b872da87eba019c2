import { formatIntegrity, type InternalHash, type OpenIntegrityOptions, openIntegrity } from "@blockstrata/integrity"
import { seededRandom, seededRuntime } from "@blockstrata/testkit"
import { conformEverywhere, conformStack, linearRange, type Step } from "./stack.ts"

const runtime = seededRuntime(1)
const macKey = seededRandom(3, "mac key").bytes(32)
/** Formatting writes every block: enough for a request longer than a target's scratch, and no more. */
const SIZE_MAX = 4 * 1024 * 1024

interface BitmapOptions {
  readonly tagSize: number
  readonly blockSize: number
  readonly internalHash: InternalHash
  readonly opening?: Partial<OpenIntegrityOptions>
}

/** A volume of dm-integrity in mode B, with a bit for every 32 KiB. */
function bitmapStep({ opening = {}, ...volume }: BitmapOptions): Step {
  const { tagSize, blockSize, internalHash } = volume
  const open: Step["open"] = (lower, size) =>
    openIntegrity({ lower, size, mode: "B", internalHash, sectorsPerBit: 64, runtime, ...opening })
  return {
    lowerSize: (size) => Math.ceil((size * (1.1 + tagSize / blockSize) + 160 * 1024) / 4096) * 4096,
    async prepare(lower, size, above) {
      const areas = { interleaveSectors: 128, journalSectors: 64, mode: "B", wipe: true } as const
      await formatIntegrity({ ...volume, ...areas, lower, runtime })
      const device = await open(lower, size)
      await above(device)
      await device.close()
    },
    open,
  }
}

const volumes: [name: string, options: BitmapOptions][] = [
  ["crc32c", { tagSize: 4, blockSize: 512, internalHash: { name: "crc32c" } }],
  ["sha256, blocks of 4096", { tagSize: 32, blockSize: 4096, internalHash: { name: "sha256" } }],
  [
    "hmac(sha256), discards",
    {
      ...{ tagSize: 20, blockSize: 1024, internalHash: { name: "hmac(sha256)", key: macKey } },
      opening: { allowDiscards: true, allowUnauthenticatedRecovery: true },
    },
  ],
]
for (const [name, options] of volumes) {
  conformEverywhere(`integrity in mode B, ${name}`, () => bitmapStep(options), {
    authentic: true,
    secrets: [macKey],
    asStack: false,
    size: options.blockSize * 32,
    sizeMax: SIZE_MAX,
  })
}

/** The clock stands still: nothing is reached, nothing is checked, and everything else is as ever. */
const pending: BitmapOptions = {
  ...{ tagSize: 4, blockSize: 512, internalHash: { name: "crc32c" } },
  opening: { resetRecalculate: true },
}
const unchecked = { asStack: false, sizeMax: SIZE_MAX }
conformStack("integrity in mode B, recalculating", () => [bitmapStep(pending)], unchecked)

const recalculated = { ...pending, opening: { recalculate: true, recalculation: "now" } } as const
conformStack("integrity in mode B, recalculated, over a range", () => [linearRange(), bitmapStep(recalculated)], {
  authentic: true,
  sizeMax: SIZE_MAX,
})
