import { describe, expect, it } from "vitest"
import { BlockModel } from "./block-model.ts"

const of = (byte: number) => new Uint8Array(8).fill(byte)
const model = (atomicSize = 8) => new BlockModel({ blockCount: 4, blockSize: 8, atomicSize }, () => of(0))

/** The bytes that a read of block 0 may give, of 0 ... 9. */
function readable(subject: BlockModel): number[] {
  // A change that touches nothing is under way, so that no read stands alone and none pins what it finds.
  const elsewhere = subject.change(3, [of(9)], false)
  const found = candidates((byte) => subject.read(0, 1).problem(0, of(byte)) === undefined)
  elsewhere.settled()
  return found
}

function candidates(isPermitted: (byte: number) => boolean): number[] {
  return Array.from({ length: 10 }, (_, byte) => byte).filter(isPermitted)
}

const afterCrash = (subject: BlockModel) => {
  const expected = subject.expectation()
  return candidates((byte) => expected.problem(0, of(byte)) === undefined)
}

describe("what a read may give", () => {
  it("what was last written, once it has settled", () => {
    const subject = model()
    subject.change(0, [of(1)], false).settled()
    expect(readable(subject)).toEqual([1])
  })

  it("old or new while a write is under way", () => {
    const subject = model()
    subject.change(0, [of(1)], false)
    expect(readable(subject)).toEqual([0, 1])
  })

  it("either of two that overlapped, and never one that a third had replaced", () => {
    const subject = model()
    const first = subject.change(0, [of(1)], false)
    const second = subject.change(0, [of(2)], false)
    first.settled()
    const third = subject.change(0, [of(3)], false)
    third.settled()
    second.settled()
    expect(readable(subject)).toEqual([2, 3])
  })

  it("old or new after a rejection; the one that was read, from then on", () => {
    const subject = model()
    subject.change(0, [of(1)], false).failed()
    expect(readable(subject)).toEqual([0, 1])
    expect(subject.read(0, 1).problem(0, of(0))).toBeUndefined()
    expect(readable(subject)).toEqual([0])
  })

  it("anything after a discard", () => {
    const subject = model()
    subject.change(0, ["anything"], false).settled()
    expect(readable(subject)).toHaveLength(10)
  })

  it("what was written while the read was under way", () => {
    const subject = model()
    const read = subject.read(0, 1)
    subject.change(0, [of(1)], false).settled()
    subject.change(0, [of(2)], false).settled()
    expect(read.problem(0, of(1))).toBeUndefined()
  })

  it("an error only after a rejection, on a device that promises nothing for torn blocks", () => {
    for (const [atomicSize, mayFail] of [
      [0, true],
      [8, false],
    ] as const) {
      const subject = model(atomicSize)
      expect(subject.read(0, 1).mayFail(0)).toBe(false)
      subject.change(0, [of(1)], false).failed()
      expect(subject.read(0, 1).mayFail(0)).toBe(mayFail)
    }
  })
})

describe("what a crash may leave", () => {
  it("everything since the last flush, and nothing from before it", () => {
    const subject = model()
    subject.change(0, [of(1)], false).settled()
    expect(afterCrash(subject)).toEqual([0, 1])
    subject.flush().settled()
    expect(afterCrash(subject)).toEqual([1])
    subject.change(0, [of(2)], false).settled()
    subject.change(0, [of(3)], false)
    expect(afterCrash(subject)).toEqual([1, 2, 3])
  })

  it("a flush covers what had settled when it was asked for", () => {
    const subject = model()
    const write = subject.change(0, [of(1)], false)
    const flush = subject.flush()
    write.settled()
    flush.settled()
    expect(afterCrash(subject)).toEqual([0, 1])
  })

  it("a flush that failed covers nothing; a write with fua needs none", () => {
    const subject = model()
    subject.change(0, [of(1)], false).settled()
    subject.flush().failed()
    expect(afterCrash(subject)).toEqual([0, 1])
    subject.change(0, [of(2)], true).settled()
    expect(afterCrash(subject)).toEqual([2])
  })

  it("mixtures in pieces of the atomic size, of a block larger than that", () => {
    const subject = model(4)
    subject.change(0, [of(1)], false).settled()
    const expected = subject.expectation()
    expect(expected.problem(0, Uint8Array.of(0, 0, 0, 0, 1, 1, 1, 1))).toBeUndefined()
    expect(expected.problem(0, Uint8Array.of(0, 1, 0, 0, 1, 1, 1, 1))).toBeDefined()
  })

  it("an unreadable block only in flux and only without an atomic size", () => {
    expect(model(0).expectation().problem(0, undefined)).toBeDefined()
    for (const [atomicSize, isPermitted] of [
      [0, true],
      [8, false],
    ] as const) {
      const subject = model(atomicSize)
      subject.change(0, [of(1)], false).settled()
      expect(subject.expectation().problem(0, undefined) === undefined).toBe(isPermitted)
    }
  })

  it("of a discarded block anything, each time", () => {
    const subject = model()
    subject.change(0, ["anything"], false).settled()
    subject.reopened(() => of(4))
    expect(readable(subject)).toHaveLength(10)
    subject.change(0, [of(1)], false).settled()
    expect(readable(subject)).toEqual([1])
  })

  it("what was found after one crash may be otherwise after another, until it is flushed", () => {
    const subject = model()
    subject.change(0, [of(1)], false).settled()
    subject.reopened(() => of(1))
    expect(readable(subject)).toEqual([1])
    expect(afterCrash(subject)).toEqual([0, 1])
    subject.flush().settled()
    expect(afterCrash(subject)).toEqual([1])
  })
})

it("tells which blocks a crash may alter, and what they may hold whole", () => {
  const subject = model(4)
  expect(subject.expectation().unsettledRuns()).toEqual([])
  subject.change(0, [of(1)], false).settled()
  const expected = subject.expectation()
  subject.change(2, [of(2), of(3)], false)
  expect(expected.unsettledRuns()).toEqual([{ firstBlock: 0, blockCount: 1 }])
  expect(subject.expectation().unsettledRuns()).toEqual([
    { firstBlock: 0, blockCount: 1 },
    { firstBlock: 2, blockCount: 2 },
  ])
  const torn = Uint8Array.of(0, 0, 0, 0, 1, 1, 1, 1)
  expect([of(0), of(1), of(2), torn].map((content) => expected.isWhole(0, content))).toEqual([true, true, false, false])
  subject.flush().settled()
  expect(subject.expectation().unsettledRuns()).toEqual([{ firstBlock: 2, blockCount: 2 }])
})
