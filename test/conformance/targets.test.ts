import { type BlockDevice, BlockError, memoryDevice, share } from "@blockstrata/device"
import { errorTarget, linearTarget, mirrorTarget, stripedTarget, zeroTarget } from "@blockstrata/targets"
import { describe, expect, it } from "vitest"
import { conform, conformEverywhere, conformStack, linearRange, type Step, slices } from "./stack.ts"

const CHUNK = 4096

const shareStep = (): Step => ({ lowerSize: (size) => size, open: share })
const wholeChunks = (size: number, stripeCount: number) => Math.ceil(size / CHUNK / stripeCount) * CHUNK * stripeCount

/** Three stripes, each in a range of its own of the device below. */
const stripedStep = (stripeCount: number): Step => ({
  lowerSize: (size) => wholeChunks(size, stripeCount),
  open(lower, size) {
    const width = wholeChunks(size, stripeCount) / stripeCount
    const parts = slices(
      lower,
      Array.from({ length: stripeCount }, () => width),
    )
    return stripedTarget({
      size: width * stripeCount,
      chunkSize: CHUNK,
      lowers: parts.map((part) => ({ lower: part, start: 0 })),
    })
  },
})

/** Legs in ranges of their own of the device below. */
const mirrorStep = (legCount: number): Step => ({
  lowerSize: (size) => size * legCount,
  open(lower, size) {
    const sizes = Array.from({ length: legCount }, () => size)
    return mirrorTarget({ legs: slices(lower, sizes).map((leg) => ({ lower: leg, start: 0 })), size }).device
  },
})

conformEverywhere("share", shareStep)
conformEverywhere("linear", linearRange)
conformStack("linear, with tags", () => [linearRange()], { medium: { tagSize: 7 } })
conformStack("linear, large blocks", () => [linearRange(), linearRange()], { medium: { blockSize: 4096 } })
conformEverywhere("striped over two", () => stripedStep(2))
conformStack("striped over three, with tags", () => [stripedStep(3)], { medium: { tagSize: 4 }, size: 3 * 32 * 1024 })
conformEverywhere("mirror of two", () => mirrorStep(2))
conformStack("mirror of three, with tags", () => [mirrorStep(3)], { medium: { tagSize: 4 } })

conform({
  name: "striped over four devices",
  create({ base, minimumSizeBytes }) {
    const size = wholeChunks(Math.max(128 * 1024, minimumSizeBytes), 4)
    const lowers = Array.from({ length: 4 }, () => ({
      lower: base(memoryDevice({ size: size / 4 + CHUNK })),
      start: CHUNK,
    }))
    return stripedTarget({ size, chunkSize: CHUNK, lowers })
  },
})

conform({
  name: "zero",
  content: "zero",
  create: ({ minimumSizeBytes }) => zeroTarget({ size: Math.max(128 * 1024, minimumSizeBytes) }),
})
conform({
  name: "zero, under a linear range",
  content: "zero",
  create: ({ minimumSizeBytes }) => {
    const size = Math.max(128 * 1024, minimumSizeBytes)
    return linearTarget({ lower: zeroTarget({ size: size + 3 * CHUNK }), start: CHUNK, size })
  },
})

describe("error", () => {
  const requests: [operation: string, request: (device: BlockDevice) => Promise<unknown>][] = [
    ["read", (device) => device.read(512, new Uint8Array(1024))],
    ["write", (device) => device.write(512, new Uint8Array(1024))],
    ["writeZeroes", (device) => device.writeZeroes(512, 1024)],
  ]
  const bare = () => errorTarget({ size: 8192 })
  const range = () => linearTarget({ lower: errorTarget({ size: 16384 }), start: 1024, size: 8192 })

  it.each(requests)("%s fails over its whole range, below a linear range too", async (operation, request) => {
    await expect(request(bare())).rejects.toMatchObject({
      code: "IO",
      device: "error",
      operation,
      offset: 512,
      length: 1024,
    })
    const below = { code: "IO", device: "error", offset: 1536, length: 1024 }
    await expect(request(range())).rejects.toMatchObject({
      code: "IO",
      device: "linear",
      operation,
      offset: 512,
      cause: below,
    })
  })

  it("zeroes the buffer of a read, takes a flush, and closes", async () => {
    const device = bare()
    const buffer = new Uint8Array(512).fill(7)
    await expect(device.read(0, buffer)).rejects.toBeInstanceOf(BlockError)
    expect(buffer).toEqual(new Uint8Array(512))
    await device.flush()
    await expect(device.read(100, new Uint8Array(512))).rejects.toBeInstanceOf(RangeError)
    await device.close()
    await expect(device.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: "CLOSED" })
  })
})
