import { describe, expect, it } from "vitest"
import { BlockError } from "./block-error.ts"
import { type DeviceImplementation, defineDevice } from "./define-device.ts"
import { memoryDevice } from "./memory-device.ts"

const plain: DeviceImplementation = {
  name: "plain",
  size: 4096,
  blockSize: 512,
  read: async () => {},
}

function writable(overrides: Partial<DeviceImplementation> = {}): DeviceImplementation {
  return { ...plain, features: { write: true }, write: async () => {}, flush: async () => {}, ...overrides }
}

function gated(): { promise: Promise<void>; open: () => void } {
  let open = () => {}
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { promise, open }
}

describe("the edge refuses implementations that contradict themselves", () => {
  it.each([
    ["block size", { blockSize: 1000 }],
    ["block size below a sector", { blockSize: 256 }],
    ["size", { size: 1000 }],
    ["tag size", { tagSize: -1 }],
    ["roles", { lowers: [0, 1].map(() => ({ role: "data", device: memoryDevice({ size: 512 }) })) }],
    ["write without a method", { features: { write: true } }],
    ["write without flush", { features: { write: true }, write: async () => {} }],
  ])("%s", (_what, overrides) => {
    expect(() => defineDevice({ ...plain, ...overrides })).toThrow(/plain/)
  })
})

describe("the edge checks a request once", () => {
  const device = defineDevice(writable({ tagSize: 4 }))
  it.each<[string, number, number, ErrorConstructor]>([
    ["an unaligned offset", 1, 512, RangeError],
    ["an unaligned length", 0, 100, RangeError],
    ["a range past the end", 4096, 512, RangeError],
    ["a negative offset", -512, 512, RangeError],
    ["an offset that is no number", "0" as unknown as number, 512, TypeError],
    ["an offset beyond 2^53", 2 ** 60, 512, RangeError],
  ])("%s", async (_what, offset, length, kind) => {
    await expect(device.read(offset, new Uint8Array(length))).rejects.toBeInstanceOf(kind)
    await expect(device.write(offset, new Uint8Array(length))).rejects.toBeInstanceOf(kind)
    await expect(device.writeZeroes(offset, length)).rejects.toBeInstanceOf(kind)
    await expect(device.blockStatus(offset, length)).rejects.toBeInstanceOf(kind)
  })

  it("rejects options that are none, and does not throw", async () => {
    const none = null as unknown as undefined
    for (const ask of [() => device.write(0, new Uint8Array(512), none), () => device.writeZeroes(0, 512, none)]) {
      const request = ask()
      await expect(request).rejects.toBeInstanceOf(TypeError)
    }
  })

  it("takes a target in plain JavaScript that returns no promise, and closes it", async () => {
    const script = defineDevice({ ...plain, read: (() => {}) as unknown as DeviceImplementation["read"] })
    await script.read(0, new Uint8Array(512))
    await script.close()
  })

  it("wants bytes, and as many tags as blocks", async () => {
    await expect(device.read(0, [0] as unknown as Uint8Array)).rejects.toBeInstanceOf(TypeError)
    await expect(device.read(0, new Uint8Array(1024), new Uint8Array(4))).rejects.toBeInstanceOf(RangeError)
    await device.read(0, new Uint8Array(1024), new Uint8Array(8))
  })

  it("says what is read-only, and what is absent", async () => {
    const readOnly = defineDevice(plain)
    await expect(readOnly.write(0, new Uint8Array(512))).rejects.toMatchObject({ code: "READ_ONLY", device: "plain" })
    await expect(readOnly.discard(0, 512)).rejects.toMatchObject({ code: "READ_ONLY" })
    await expect(device.discard(0, 512)).rejects.toMatchObject({ code: "UNSUPPORTED" })
    await readOnly.flush()
  })
})

describe("the edge places failures", () => {
  it("zeroes the buffers of a failed read", async () => {
    const device = defineDevice({
      ...plain,
      tagSize: 2,
      async read(_offset, buffer, tags) {
        buffer.fill(7)
        tags?.fill(7)
        throw new BlockError("INTEGRITY", "plain: no match", { offset: 512, length: 512 })
      },
    })
    const [buffer, tags] = [new Uint8Array(1024).fill(1), new Uint8Array(4).fill(1)]
    await expect(device.read(0, buffer, tags)).rejects.toMatchObject({
      code: "INTEGRITY",
      device: "plain",
      operation: "read",
      offset: 512,
    })
    expect([...buffer, ...tags].every((byte) => byte === 0)).toBe(true)
  })

  it("translates a lower's error by extents, and keeps it as the cause", async () => {
    const lower = defineDevice({
      ...plain,
      name: "bad",
      async read() {
        throw new BlockError("IO", "bad: gone", { offset: 1536, length: 1024 })
      },
    })
    const upper = defineDevice({
      ...plain,
      name: "upper",
      size: 2048,
      lowers: [{ role: "data", device: lower }],
      extents: (offset, length) => [{ role: "data", offset: offset + 1024, length }],
      read: (offset, buffer) => lower.read(offset + 1024, buffer),
    })
    const error = await upper.read(0, new Uint8Array(2048)).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: "IO", device: "upper", offset: 512, length: 1024 })
    expect((error as BlockError).cause).toMatchObject({ code: "IO", device: "bad", offset: 1536, length: 1024 })
  })

  it("tells two lowers of one name apart", async () => {
    const fails = () =>
      defineDevice({
        ...plain,
        name: "leg",
        read: async () => Promise.reject(new BlockError("IO", "leg: gone", { offset: 0, length: 512 })),
      })
    const [first, second] = [fails(), fails()]
    const upper = defineDevice({
      ...plain,
      name: "upper",
      size: 1024,
      lowers: [
        { role: "a", device: first },
        { role: "b", device: second },
      ],
      extents: (offset, length) =>
        [
          { role: "a", offset: 0, length: 512 },
          { role: "b", offset: 0, length: 512 },
        ].slice(offset / 512, (offset + length) / 512),
      read: (_offset, buffer) => second.read(0, buffer.subarray(512)),
    })
    await expect(upper.read(0, new Uint8Array(1024))).rejects.toMatchObject({ offset: 512, length: 512 })
  })

  it("wraps what the host throws, and lets bugs be bugs", async () => {
    const host = defineDevice({ ...plain, read: async () => Promise.reject(new Error("EIO")) })
    await expect(host.read(512, new Uint8Array(512))).rejects.toMatchObject({
      code: "IO",
      offset: 512,
      cause: { message: "EIO" },
    })
    const bug = defineDevice({
      ...plain,
      read: async () => Promise.reject(new TypeError("undefined is not a function")),
    })
    await expect(bug.read(0, new Uint8Array(512))).rejects.toBeInstanceOf(TypeError)
  })
})

describe("the edge completes what a target leaves out", () => {
  it("follows a write by a flush where fua is not stated, and passes it on where it is", async () => {
    for (const fua of [false, true]) {
      const calls: string[] = []
      const device = defineDevice(
        writable({
          features: { write: true, fua },
          write: async (_offset, _data, options) => void calls.push(`write ${options.fua}`),
          flush: async () => void calls.push("flush"),
        }),
      )
      await device.write(0, new Uint8Array(512), { fua: true })
      expect(calls).toEqual(fua ? ["write true"] : ["write false", "flush"])
    }
  })

  it("writes zeroes in pieces of at most 1 MiB", async () => {
    const lengths: number[] = []
    const size = 2 * 1024 * 1024 + 512
    const device = defineDevice(writable({ size, write: async (_offset, data) => void lengths.push(data.length) }))
    await device.writeZeroes(0, size)
    expect(lengths).toEqual([1024 * 1024, 1024 * 1024, 512])
  })
})

describe("closing", () => {
  it("waits for requests in flight, flushes, then closes the lowers, once", async () => {
    const calls: string[] = []
    const gate = gated()
    const lower = defineDevice(writable({ name: "lower", close: async () => void calls.push("lower closed") }))
    const device = defineDevice(
      writable({
        lowers: [{ role: "data", device: lower }],
        write: async () => {
          await gate.promise
          calls.push("written")
        },
        flush: async () => void calls.push("flushed"),
        close: async () => void calls.push("closed"),
      }),
    )
    const write = device.write(0, new Uint8Array(512))
    const closing = [device.close(), device.close()]
    await expect(device.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: "CLOSED" })
    gate.open()
    await Promise.allSettled([write, ...closing])
    expect(calls).toEqual(["written", "flushed", "closed", "lower closed"])
  })

  it("closes the lowers even when the flush fails, and says so", async () => {
    let closed = false
    const lower = defineDevice({ ...plain, name: "lower", close: async () => void (closed = true) })
    const device = defineDevice(
      writable({ lowers: [{ role: "data", device: lower }], flush: async () => Promise.reject(new Error("EIO")) }),
    )
    await expect(device.close()).rejects.toMatchObject({ code: "IO", operation: "close" })
    await expect(device.close()).rejects.toMatchObject({ code: "IO" })
    expect(closed).toBe(true)
  })
})

describe("ordered devices", () => {
  it("let an overlapping read wait for a write, and a distant one pass", async () => {
    const gate = gated()
    const calls: string[] = []
    const device = defineDevice(
      writable({
        ordered: true,
        write: async () => {
          await gate.promise
          calls.push("write")
        },
        read: async (offset) => void calls.push(`read ${offset}`),
      }),
    )
    const requests = [
      device.write(0, new Uint8Array(1024)),
      device.read(512, new Uint8Array(512)),
      device.read(1024, new Uint8Array(512)),
    ]
    await requests[2]
    gate.open()
    await Promise.allSettled(requests)
    expect(calls).toEqual(["read 1024", "write", "read 512"])
  })

  it("let the next one in when a request has failed, waited for or not", async () => {
    const device = defineDevice(
      writable({ ordered: true, write: async () => Promise.reject(new BlockError("IO", "plain: gone")) }),
    )
    const block = new Uint8Array(512)
    const settled: string[] = []
    const note = (name: string, request: Promise<void>) =>
      void request.then(
        () => settled.push(name),
        () => settled.push(`${name} failed`),
      )
    note("write", device.write(0, block))
    note("write behind it", device.write(0, block))
    note("read", device.read(0, block))
    await new Promise((resolve) => setImmediate(resolve))
    expect(settled).toEqual(["write failed", "write behind it failed", "read"])
  })
})
