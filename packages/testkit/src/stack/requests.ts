import type { BlockDevice } from "@blockstrata/device"
import { assert, assertBlockError, settle } from "../assertion.ts"
import { BlockModel, type Pending } from "../model/block-model.ts"
import type { BlockContent } from "../model/change.ts"
import { changeContent } from "./content.ts"
import type { Request } from "./operation.ts"
import type { Windows } from "./windows.ts"

/** What is left in a buffer of the caller's after a request: whoever still uses it is seen. */
const SCRIBBLE = 0xe7
const POISON = 0xa5

/** A stack that is open, and what it may answer. */
export interface OpenStack {
  readonly device: BlockDevice
  readonly windows: Windows
  readonly data: BlockModel
  /** Of the tags, where blocks carry them. */
  readonly tags: BlockModel | undefined
}

/** How a request ended: false if it was rejected with a `BlockError`. */
export type Ended = boolean

/** Numbers that no two requests of a run share, and the buffers that are the caller's again. */
export class Requests {
  #serial = 0
  #given: { readonly buffer: Uint8Array; readonly copy: Uint8Array; readonly what: string }[] = []

  /** Asks for one request and checks what it gives against the model. `mayReject`: something below was made to fail. */
  async run(stack: OpenStack, request: Request, mayReject: boolean): Promise<Ended> {
    const { device } = stack
    const features = device.features
    switch (request.do) {
      case "read":
        return await this.#read(stack, request.at, request.count, mayReject)
      case "write":
        return features.write ? await this.#write(stack, request, mayReject) : true
      case "writeZeroes":
        return features.write ? await this.#zeroes(stack, request, mayReject) : true
      case "discard":
        return features.write && features.discard ? await this.#discard(stack, request, mayReject) : true
      case "flush":
        return await this.#flush(stack, mayReject)
    }
  }

  /** Every buffer that the device was given is as it was left when its request settled. */
  checkBuffers(): void {
    for (const { buffer, copy, what } of this.#given) {
      assert(isEqual(buffer, copy), `${what}: its buffer changed after it had settled`)
    }
    this.#given = []
  }

  async #write(
    stack: OpenStack,
    { at, count, fua = false }: Request & { do: "write" },
    mayReject: boolean,
  ): Promise<Ended> {
    const { device, windows } = stack
    const run = windows.run(at, count)
    const serial = this.#serial++
    const blocks = (size: number) =>
      Array.from({ length: run.count }, (_, index) => changeContent(serial, run.index + index, size))
    const [contents, tagContents] = [blocks(device.blockSize), blocks(device.tagSize)]
    const [data, tags] = [joined(contents), joined(tagContents)]
    const [dataBefore, tagsBefore] = [new Uint8Array(data), new Uint8Array(tags)]
    // Every other write of a tagged device leaves the tags as they are.
    const withTags = device.tagSize > 0 && serial % 2 === 0
    const pending = [stack.data.change(run.index, contents, fua)]
    if (withTags && stack.tags) pending.push(stack.tags.change(run.index, tagContents, fua))
    const what = `write of ${run.count} blocks at ${run.index}`
    const ended = await this.#change(pending, mayReject, what, () =>
      device.write(windows.offsetOf(run.index), data, withTags ? { tags, fua } : { fua }),
    )
    assert(isEqual(data, dataBefore) && isEqual(tags, tagsBefore), `${what}: the data was modified`)
    this.#scribble(data, what)
    this.#scribble(tags, what)
    return ended
  }

  async #zeroes(
    { device, windows, data }: OpenStack,
    request: Request & { do: "writeZeroes" },
    mayReject: boolean,
  ): Promise<Ended> {
    const { index, count } = windows.run(request.at, request.count)
    const zero = new Uint8Array(device.blockSize)
    const pending = data.change(index, new Array<BlockContent>(count).fill(zero), false)
    return await this.#change([pending], mayReject, `writeZeroes of ${count} blocks at ${index}`, () =>
      device.writeZeroes(windows.offsetOf(index), count * device.blockSize, {
        mayDiscard: request.mayDiscard ?? false,
      }),
    )
  }

  async #discard(
    { device, windows, data }: OpenStack,
    request: Request & { do: "discard" },
    mayReject: boolean,
  ): Promise<Ended> {
    const { index, count } = windows.run(request.at, request.count)
    const pending = data.change(index, new Array<BlockContent>(count).fill("anything"), false)
    return await this.#change([pending], mayReject, `discard of ${count} blocks at ${index}`, () =>
      device.discard(windows.offsetOf(index), count * device.blockSize),
    )
  }

  async #flush({ device, data, tags }: OpenStack, mayReject: boolean): Promise<Ended> {
    const pending = [data.flush(), ...(tags ? [tags.flush()] : [])]
    return await this.#change(pending, mayReject, "flush", () => device.flush())
  }

  async #change(
    pending: readonly Pending[],
    mayReject: boolean,
    what: string,
    call: () => Promise<void>,
  ): Promise<Ended> {
    const outcome = await settle(call, what)
    const hasSettled = outcome.kind === "resolved"
    for (const one of pending) {
      if (hasSettled) one.settled()
      else one.failed()
    }
    if (outcome.kind === "rejected") checkRejection(outcome.error, what, mayReject)
    return hasSettled
  }

  async #read(stack: OpenStack, at: number, count: number, mayReject: boolean): Promise<Ended> {
    const { device, windows } = stack
    const run = windows.run(at, count)
    const what = `read of ${run.count} blocks at ${run.index}`
    const data = new Uint8Array(run.count * device.blockSize).fill(POISON)
    const tags = new Uint8Array(run.count * device.tagSize).fill(POISON)
    const expected = stack.data.read(run.index, run.count)
    const expectedTags = stack.tags?.read(run.index, run.count)
    const outcome = await settle(
      () => device.read(windows.offsetOf(run.index), data, tags.length > 0 ? tags : undefined),
      what,
    )
    this.#keep(data, what)
    if (outcome.kind === "rejected") {
      const blocks = Array.from({ length: run.count }, (_, index) => index)
      checkRejection(outcome.error, what, mayReject || blocks.some((index) => expected.mayFail(index)))
      assert(isZero(data), `${what}: the buffer of a failed read is not zero`)
      return false
    }
    for (let index = 0; index < run.count; index++) {
      const block = data.subarray(index * device.blockSize, (index + 1) * device.blockSize)
      const problem =
        expected.problem(index, block) ??
        expectedTags?.problem(index, tags.subarray(index * device.tagSize, (index + 1) * device.tagSize))
      assert(problem === undefined, `${what}: ${problem}`)
    }
    return true
  }

  /** What the device calls a hole or zero reads as zeroes. Nothing may be under way. */
  async checkStatus({ device, windows }: OpenStack, { at, count }: Request & { do: "read" }): Promise<void> {
    const run = windows.run(at, count)
    const offset = windows.offsetOf(run.index)
    for (const range of await device.blockStatus(offset, run.count * device.blockSize)) {
      if (range.kind === "allocated") continue
      const data = new Uint8Array(range.length).fill(POISON)
      await device.read(range.offset, data)
      assert(
        isZero(data),
        `${range.kind} of ${range.length} bytes from block ${run.index + (range.offset - offset) / device.blockSize}: does not read as zeroes`,
      )
    }
  }

  #scribble(buffer: Uint8Array, what: string): void {
    buffer.fill(SCRIBBLE)
    this.#keep(buffer, what)
  }

  #keep(buffer: Uint8Array, what: string): void {
    this.#given.push({ buffer, copy: new Uint8Array(buffer), what })
  }
}

function checkRejection(error: unknown, what: string, mayReject: boolean): void {
  const failure = assertBlockError(error, what)
  if (mayReject) return
  throw new Error(`${what}: rejected with ${failure.code}: ${failure.message}`, { cause: error })
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let start = 0
  for (const part of parts) {
    whole.set(part, start)
    start += part.length
  }
  return whole
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false
  return true
}

function isZero(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 0) return false
  return true
}
