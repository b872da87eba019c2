import fc from "fast-check"
import { expect, it } from "vitest"
import { PagedBytes } from "./paged-bytes.ts"

const SIZE = 5 * 4096
/** Far from the start, across the place where 32 bits end. */
const FAR = 2 ** 32 - 2 * 4096 - 100

const range = { offset: fc.nat(SIZE - 1), length: fc.nat(SIZE) }
const step = fc.oneof(
  fc.record({
    kind: fc.constant("write" as const),
    which: fc.nat(7),
    ...range,
    value: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({ kind: fc.constant("clear" as const), which: fc.nat(7), ...range }),
  fc.record({ kind: fc.constant("fork" as const), which: fc.nat(7) }),
)

it("equals a plain array, whatever is forked from it and changed on either side", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const sides = [{ paged: new PagedBytes(), plain: new Uint8Array(SIZE) }]
      for (const one of steps) {
        const { paged, plain } = sides[one.which % sides.length]!
        if (one.kind === "fork") {
          sides.push({ paged: paged.fork(), plain: new Uint8Array(plain) })
          continue
        }
        const end = Math.min(SIZE, one.offset + one.length)
        if (one.kind === "write") {
          const data = Uint8Array.from({ length: end - one.offset }, (_, index) => one.value + index)
          paged.write(FAR + one.offset, data)
          plain.set(data, one.offset)
        } else {
          paged.clear(FAR + one.offset, end - one.offset)
          plain.fill(0, one.offset, end)
        }
      }
      for (const { paged, plain } of sides) {
        const read = new Uint8Array(SIZE).fill(0xa5)
        paged.read(FAR, read)
        // Not `toEqual`, which walks arrays of this length slowly.
        expect(read.findIndex((byte, index) => byte !== plain[index])).toBe(-1)
      }
    }),
  )
})

it("takes memory only where it was written, and clears any range at the cost of that", () => {
  const bytes = new PagedBytes()
  bytes.write(4096 * 1000 - 1, new Uint8Array([1, 2]))
  expect(bytes.pageOffsets()).toEqual([4096 * 999, 4096 * 1000])
  bytes.clear(0, 2 ** 50)
  const read = new Uint8Array(2).fill(9)
  bytes.read(4096 * 1000 - 1, read)
  expect(read).toEqual(new Uint8Array(2))
})

it("knows which pages may differ: those that either side wrote since the fork", () => {
  const bytes = new PagedBytes()
  bytes.write(0, new Uint8Array(3 * 4096).fill(1))
  const fork = bytes.fork()
  expect(bytes.changedPageOffsets(fork)).toEqual([])
  bytes.write(4096, new Uint8Array([2]))
  fork.write(2 ** 33, new Uint8Array([3]))
  expect(bytes.changedPageOffsets(fork)).toEqual([4096, 2 ** 33])
  expect(fork.changedPageOffsets(bytes)).toEqual([4096, 2 ** 33])
})
