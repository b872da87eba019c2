import {
  ATTACKS,
  type AttackStack,
  type AttackWish,
  attackFindings,
  attackMatrix,
  type Tampering,
} from "@blockstrata/testkit"
import { type BlockDevice, cryptTarget, defineDevice } from "blockstrata"
import { describe, expect, inject, it } from "vitest"
import { EXPECTED } from "./expectation.ts"
import { STACKS } from "./stacks.ts"

/** The lab must see a defect where there is one, and must not take a broken stack for a stack that detects. */

const UNCHECKED_BLOCK = 5
/** As many as the stacks have blocks: each is attacked once. */
const RUNS_PER_CELL = 16
const seed = inject("seed")

function column(name: string): AttackStack {
  const stack = STACKS.find((candidate) => candidate.name === name)
  if (stack === undefined) throw new RangeError(`no column ${name}`)
  return stack
}
const attack = (id: string) => ATTACKS.filter((candidate) => candidate.id === id)
const only = (id: string, name: string) => ({ [id]: { [name]: EXPECTED[id]?.[name] ?? "" } })

/** The column with another device for its reader. */
function withReader(name: string, wrap: (device: BlockDevice, wish: AttackWish) => Promise<BlockDevice>): AttackStack {
  const stack = column(name)
  const create = async (wish: AttackWish) => {
    const device = await stack.create(wish)
    return wish.party === "reader" ? await wrap(device, wish) : device
  }
  return { ...stack, create }
}

function passThrough(device: BlockDevice, read: (offset: number, buffer: Uint8Array) => Promise<void>): BlockDevice {
  const { size, blockSize } = device
  const extents = (offset: number, length: number) => [{ role: "data", offset, length }]
  return defineDevice({ name: "canary", size, blockSize, lowers: [{ role: "data", device }], extents, read })
}

/** Of H, with one block that is read as it stands on the medium. */
const unchecked = withReader("H", async (device, { medium }) => {
  const disk = medium("disk", { size: 256 * 1024 })
  return passThrough(device, async (offset, buffer) => {
    for (let at = 0; at < buffer.length; at += device.blockSize) {
      const block = buffer.subarray(at, at + device.blockSize)
      const isChecked = offset + at !== UNCHECKED_BLOCK * device.blockSize
      const [place] = device.layer.extents(offset + at, device.blockSize)
      await (isChecked || place === undefined ? device.read(offset + at, block) : disk.read(place.offset, block))
    }
  })
})

describe("a tag that is not checked, on one block of sixteen", () => {
  it.each(["A1", "A2", "A3", "A4", "A9"])("turns %s into a finding that names attack, stack and seed", async (id) => {
    const matrix = await attackMatrix([unchecked], { seed, runsPerCell: RUNS_PER_CELL, attacks: attack(id) })
    const findings = attackFindings(matrix, only(id, "H"))
    expect(findings).toHaveLength(1)
    const run = matrix.cells[0]?.runs.find(({ outcome }) => outcome !== "refused")
    expect(findings[0]).toBe(
      `${id} on H: expected refused, got ${matrix.cells[0]?.outcomes} (SEED=${run?.seed}: ${run?.outcome})`,
    )
    expect(matrix.cells[0]?.verdict).toBe("undetected")
    // The seed alone brings it back.
    const replay = await attackMatrix([unchecked], { seed: run?.seed ?? 0, runsPerCell: 1, attacks: attack(id) })
    expect(replay.cells[0]?.runs).toEqual([run])
  })

  it("and without that defect there is none", async () => {
    const sound = withReader("H", async (device) =>
      passThrough(device, (offset, buffer) => device.read(offset, buffer)),
    )
    const matrix = await attackMatrix([sound], { seed, runsPerCell: RUNS_PER_CELL, attacks: attack("A1") })
    expect(attackFindings(matrix, only("A1", "H"))).toEqual([])
  })
})

describe("the table cannot drift", () => {
  it("a stack that detects what it should not is a finding too", async () => {
    const better = { ...column("H"), name: "F" }
    const matrix = await attackMatrix([better], { seed, runsPerCell: 2, attacks: attack("A1") })
    expect(attackFindings(matrix, only("A1", "F"))[0]).toMatch(
      /^A1 on F: expected noise, got refused \(SEED=\d+: refused\)$/,
    )
  })

  it("nor may a cell be missing, on either side", async () => {
    const matrix = await attackMatrix([column("F")], { seed, runsPerCell: 1, attacks: attack("A1") })
    expect(attackFindings(matrix, {})[0]).toMatch(/^A1 on F: expected nothing, got noise/)
    expect(attackFindings(matrix, { A1: { F: "noise", G: "old" } })).toEqual([
      "A1 on G: expected, but there is no such cell",
    ])
  })
})

describe("what is no outcome fails, and names attack, stack and seed", () => {
  it("an exception that is no BlockError", async () => {
    const careless = withReader("H", async (device) =>
      passThrough(device, async (offset, buffer) => {
        await device.read(offset, buffer).catch(() => {
          throw new TypeError("careless")
        })
      }),
    )
    const run = attackMatrix([careless], { seed, runsPerCell: 1, attacks: attack("A1") })
    await expect(run).rejects.toThrow(`A1 on H, SEED=${seed}: Error: expected a refusal, got TypeError: careless`)
  })

  it("an error below that is no refusal", async () => {
    const way: Tampering = {
      name: "power",
      change: ({ media }) => {
        media.intercept = () => {
          throw new TypeError("the host")
        }
      },
    }
    const stack = { ...column("F"), journal: [way] }
    const run = attackMatrix([stack], { seed, runsPerCell: 1, attacks: attack("A12") })
    await expect(run).rejects.toThrow(`A12 on F, SEED=${seed}, power: `)
  })

  it("a stack that does not give back what was written", async () => {
    const forgetful: AttackStack = {
      name: "forgetful",
      create: ({ medium, party }) => medium(party, { size: 8192 }),
    }
    const run = attackMatrix([forgetful], { seed, runsPerCell: 1 })
    await expect(run).rejects.toThrow(`forgetful, seed ${seed}: noise without any attack`)
  })

  it("a seed that is none", async () => {
    await expect(attackMatrix([], { seed: -1, runsPerCell: 1 })).rejects.toThrow(RangeError)
  })
})

describe("the lab itself", () => {
  it("is decided by its seed", async () => {
    const options = { seed, runsPerCell: 2 }
    const runs = async () => (await attackMatrix([column("A")], options)).cells.map((cell) => cell.runs)
    expect(await runs()).toEqual(await runs())
  })

  it("tries each way of an attack, however few the seeds", async () => {
    for (const id of ["A10", "A11", "A12", "A13"]) {
      const [way] = attack(id)
      const { cells } = await attackMatrix([column("C")], { seed, runsPerCell: 3, attacks: attack(id) })
      const expected = way?.ways?.(column("C")).map(({ name }) => name)
      expect(new Set(cells[0]?.runs.map((run) => run.way))).toEqual(new Set(expected))
    }
  })

  it("finds tags that travel with the blocks of a medium", async () => {
    const key = Uint8Array.from({ length: 32 }, (_, index) => index)
    const inline: AttackStack = {
      name: "A",
      create: ({ medium, party, runtime }) =>
        cryptTarget({
          lower: medium("disk", { size: 8192, tagSize: 28 }),
          size: 8192,
          cipher: "capi:gcm(aes)-random",
          key: party === "attacker" ? key.toReversed() : key,
          ivOffsetSectors: 0,
          integrity: { tagSize: 28, kind: "aead" },
          runtime,
        }),
    }
    const attacks = ATTACKS.filter(({ id }) => !/^A1[0-3]$/.test(id))
    const matrix = await attackMatrix([inline], { seed, runsPerCell: RUNS_PER_CELL, attacks })
    const expected = attacks.map(({ id }) => [id, { A: EXPECTED[id]?.["A"] ?? "" }])
    expect(attackFindings(matrix, Object.fromEntries(expected))).toEqual([])
  })
})
