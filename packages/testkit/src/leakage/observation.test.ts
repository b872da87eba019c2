import { defineDevice, memoryDevice } from "@blockstrata/device"
import { expect, it } from "vitest"
import { changedParts } from "./changed-parts.ts"
import { type ObserveOptions, observe, type Workload } from "./observation.ts"
import { placesOf, requestObserver, snapshotObserver } from "./view.ts"

const create: ObserveOptions["create"] = ({ medium }) => medium("disk", { size: 65536 })

const workload: Workload = {
  name: "some of each",
  async run({ device, random, runtime, snapshot }) {
    await device.write(1024, random.bytes(1024), { fua: true })
    snapshot()
    runtime.advance(50)
    await device.read(0, new Uint8Array(512))
    await device.writeZeroes(1024, 512)
  },
}

it("sees requests without their content, with their time, from the workload to the end of close", async () => {
  const prepare: Workload["run"] = async ({ device, runtime, snapshot }) => {
    runtime.advance(7)
    await device.write(0, new Uint8Array(65536).fill(9))
    snapshot()
  }
  const { trace, snapshots } = await observe({ create, prepare, workload, seed: 1 })
  const disk = { medium: "disk", fua: false }
  expect(trace).toEqual([
    { ...disk, kind: "write", offset: 1024, length: 1024, fua: true, time: 0 },
    { ...disk, kind: "read", offset: 0, length: 512, time: 50 },
    { ...disk, kind: "writeZeroes", offset: 1024, length: 512, time: 50 },
    { ...disk, kind: "flush", offset: 0, length: 0, time: 50 },
  ])
  expect(snapshots).toHaveLength(3)
  const changes = snapshots.slice(1).map((after, index) => changedParts(snapshots[index]!, after, 512))
  expect(changes.map((parts) => parts.map(({ offset }) => offset))).toEqual([[1024, 1536], [1024]])
})

it("formats, then opens again; the same seed gives the same, another seed another randomness", async () => {
  const openings: boolean[] = []
  const bytes = async (seed: number) => {
    const first = new Uint8Array(8)
    await observe({
      create(wish) {
        openings.push(wish.isNew)
        wish.runtime.fillRandom(first)
        return create(wish)
      },
      workload,
      seed,
    })
    return first.join()
  }
  expect(await bytes(1)).toBe(await bytes(1))
  expect(await bytes(1)).not.toBe(await bytes(2))
  expect(openings.slice(0, 2)).toEqual([true, false])
})

it("sees what a stack puts off until it is closed, in the trace and in the last snapshot", async () => {
  const lazy: ObserveOptions["create"] = (wish) => {
    const lower = wish.medium("disk", { size: 65536 })
    const kept = new Map<number, Uint8Array>()
    return defineDevice({
      ...{ name: "lazy", size: lower.size, blockSize: 512, features: { write: true } },
      lowers: [{ role: "data", device: lower }],
      read: (offset, buffer) => lower.read(offset, buffer),
      write: async (offset, data) => void kept.set(offset, new Uint8Array(data)),
      flush: async () => {},
      async close() {
        for (const [offset, data] of kept) await lower.write(offset, data)
      },
    })
  }
  const late: Workload = { name: "late", run: ({ device, random }) => device.write(512, random.bytes(512)) }
  const { trace, snapshots } = await observe({ create: lazy, workload: late, seed: 1 })
  expect(trace.map(({ kind, offset }) => [kind, offset])).toEqual([
    ["write", 512],
    ["flush", 0],
  ])
  expect(changedParts(snapshots[0]!, snapshots[1]!, 512).map(({ offset }) => offset)).toEqual([512])
})

it("refuses what it cannot see", async () => {
  const lower = memoryDevice({ size: 65536 })
  await expect(observe({ create: () => lower, workload, seed: 1 })).rejects.toThrow(TypeError)
  await expect(observe({ create: ({ base }) => base(lower), workload, seed: 1 })).rejects.toThrow(TypeError)
})

it("makes places of requests, and features of both observers", async () => {
  expect(placesOf({ offset: 512, length: 1024 }, 65536)).toEqual([512, 1024])
  expect(placesOf({ offset: 4096, length: 512 }, 2 ** 24)).toEqual([0])
  expect(placesOf({ offset: 0, length: 0 }, 65536)).toEqual([])
  const observation = await observe({ create, workload, seed: 1 })
  const requests = requestObserver.look(observation)
  expect(requests.addresses).toEqual(["write disk 1024", "write disk 1536", "read disk 0", "writeZeroes disk 1024"])
  for (const feature of ["flush after 4", "write fua of 1024", "wait 32", "lasted 32", "touched 2 ago"])
    expect(requests.features.get(feature), feature).toBe(1)
  const { addresses, features } = snapshotObserver(512).look(observation)
  expect(addresses).toEqual(["1 disk data 1024", "1 disk data 1536", "2 disk data 1024"])
  expect(features.get("1: 2 in all")).toBe(1)
})
