import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import { type SeededRuntime, seededRuntime } from "@blockstrata/testkit"
import { expect, test } from "vitest"
import { type FlakeyOptions, flakeyTarget } from "./flakey.ts"

const SIZE = 64 * 512
const old = new Uint8Array(1024).fill(0x42)
const fresh = new Uint8Array(1024).fill(0x43)

function flakey(options: Partial<FlakeyOptions> = {}): {
  device: BlockDevice
  medium: Uint8Array
  runtime: SeededRuntime
} {
  const medium = new Uint8Array(SIZE).fill(0x42)
  const runtime = seededRuntime(1)
  const lower = memoryDevice({ bytes: medium })
  const device = flakeyTarget({ lower, start: 512, upSeconds: 2, downSeconds: 1, runtime, ...options })
  return { device, medium, runtime }
}

async function readBack(device: BlockDevice, length = 1024): Promise<Uint8Array> {
  const buffer = new Uint8Array(length)
  await device.read(512, buffer)
  return buffer
}

test("is good for its up interval, bad for its down interval, and so on, in whole seconds from its making", async () => {
  const { device, runtime } = flakey()
  for (const second of [0, 1, 2, 3, 4, 5, 6, 7, 8]) {
    const isDown = second % 3 === 2
    for (const part of [0, 999]) {
      runtime.advance(second * 1000 + part - runtime.now())
      const failure = { code: "IO", device: "flakey", operation: "read", offset: 512, length: 1024 }
      if (isDown) await expect(readBack(device)).rejects.toMatchObject(failure)
      else expect(await readBack(device)).toEqual(old)
      expect(device.layer.status()["state"]).toBe(isDown ? "down" : "up")
    }
  }
})

test("without features everything fails in the down interval, and nothing is done", async () => {
  const { device, medium } = flakey({ upSeconds: 0 })
  await expect(device.write(512, fresh)).rejects.toMatchObject({ code: "IO", operation: "write", offset: 512 })
  await expect(device.writeZeroes(512, 1024)).rejects.toMatchObject({ code: "IO", operation: "writeZeroes" })
  await expect(device.discard(512, 1024)).rejects.toMatchObject({ code: "IO", operation: "discard" })
  await expect(device.flush()).rejects.toMatchObject({ code: "IO", operation: "flush" })
  await expect(device.close()).rejects.toMatchObject({ code: "IO" })
  expect(medium).toEqual(new Uint8Array(SIZE).fill(0x42))
})

test("drop: changes succeed and do nothing; error: they fail; reads are good", async () => {
  for (const writes of ["drop", "error"] as const) {
    const { device, medium } = flakey({ upSeconds: 0, writes })
    const changes = [
      () => device.write(512, fresh),
      () => device.writeZeroes(512, 512),
      () => device.discard(512, 512),
      () => device.flush(),
    ]
    for (const change of changes) {
      if (writes === "drop") await change()
      else await expect(change()).rejects.toMatchObject({ code: "IO" })
    }
    expect(await readBack(device)).toEqual(old)
    expect(medium).toEqual(new Uint8Array(SIZE).fill(0x42))
  }
})

test("corruption of reads turns one byte of each read that is long enough, and leaves the medium", async () => {
  const corruption = { byteNumber: 600, direction: "read", value: 7 } as const
  const { device, medium, runtime } = flakey({ upSeconds: 1, corruption })
  expect(await readBack(device)).toEqual(old)
  runtime.advance(1000)
  expect(await readBack(device)).toEqual(old.with(599, 7))
  expect(await readBack(device, 512)).toEqual(old.subarray(0, 512))
  await device.write(512, fresh)
  expect(await readBack(device)).toEqual(fresh.with(599, 7))
  expect(medium.subarray(1024, 2048)).toEqual(fresh)
})

test("corruption of writes turns one byte below and leaves the caller's data, if the flags match", async () => {
  const cases = [
    { flags: 0, plain: true, fua: true },
    { flags: 1, plain: true, fua: true },
    { flags: 2 ** 17, plain: false, fua: true },
    { flags: 2 ** 17 + 1, plain: false, fua: true },
    { flags: 2 ** 12, plain: false, fua: false },
    { flags: 2 ** 31, plain: false, fua: false },
  ]
  for (const { flags, ...expected } of cases) {
    const corruption = { byteNumber: 1, direction: "write", value: 0, flags } as const
    const { device } = flakey({ upSeconds: 0, corruption })
    const data = new Uint8Array(fresh)
    for (const how of ["plain", "fua"] as const) {
      await device.write(512, data, { fua: how === "fua" })
      expect(await readBack(device)).toEqual(expected[how] ? fresh.with(0, 0) : fresh)
    }
    expect(data).toEqual(fresh)
  }
})

test.each<[string, Partial<FlakeyOptions>]>([
  ["no time at all", { upSeconds: 0, downSeconds: 0 }],
  ["half seconds", { upSeconds: 0.5 }],
  ["too long", { upSeconds: 2 ** 32 - 1 }],
  ["byte 0", { corruption: { byteNumber: 0, direction: "read", value: 0 } }],
  ["a value beyond a byte", { corruption: { byteNumber: 1, direction: "read", value: 256 } }],
  ["flags beyond 32 bits", { corruption: { byteNumber: 1, direction: "read", value: 1, flags: 2 ** 32 } }],
  ["dropped and corrupted", { writes: "drop", corruption: { byteNumber: 1, direction: "write", value: 1 } }],
  ["a range beyond", { start: 1024, size: SIZE }],
])("refuses %s", (_, options) => {
  expect(() => flakey(options)).toThrow(RangeError)
})
