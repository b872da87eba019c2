import type { Attack } from "./attack.ts"
import type { AttackedHeader, Tampering } from "./attack-stack.ts"
import type { AttackedVolume } from "./attacked-volume.ts"
import { forge } from "./block-attacks.ts"

const NO_HEADER = "the reader believes no header"

/** What is done to headers, journals and their flags: input of an attacker, all of it. */
export const METADATA_ATTACKS: readonly Attack[] = [
  {
    id: "A10",
    name: "a header that asks for less",
    applies: ({ header }) => header !== undefined || NO_HEADER,
    ways: ({ header }) => header?.downgrades ?? [],
    run: tamper,
  },
  {
    id: "A11",
    name: "a hostile header",
    applies: ({ header }) => header !== undefined || NO_HEADER,
    ways: ({ header }) => (header === undefined ? [] : hostileValues(header)),
    run: tamper,
  },
  {
    id: "A12",
    name: "a journal that the owner did not leave",
    applies: ({ journal }) => journal !== undefined || "no journal",
    ways: ({ journal }) => journal ?? [],
    run: tamper,
  },
  {
    id: "A13",
    name: "the same as A2, and flags that have tags recalculated",
    applies: ({ flags }) => flags !== undefined || "no such flags",
    ways: ({ flags }) => flags ?? [],
    async run(volume, way) {
      await forge(volume)
      return await tamper(volume, way)
    },
  },
]

async function tamper(volume: AttackedVolume, { change }: Tampering): Promise<undefined> {
  change(volume)
}

/** Zero, the largest, the largest signed and the one after it, and of large fields those where narrower numbers end. */
function hostileValues({ medium, fields }: AttackedHeader): Tampering[] {
  return fields.flatMap(({ name, offset, size }) => {
    const end = 256n ** BigInt(size)
    const edges = [0n, end - 1n, end / 2n - 1n, end / 2n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n - 1n, 2n ** 53n]
    const values = [...new Set(edges.filter((value) => value < end))]
    return values.map((value) => ({
      name: `${name} = ${value}`,
      change: ({ media }) => media.byName.get(medium)?.current.data.write(offset, littleEndian(value, size)),
    }))
  })
}

function littleEndian(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => Number((value / 256n ** BigInt(index)) % 256n))
}
