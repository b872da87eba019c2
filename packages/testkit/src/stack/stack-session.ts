import { type BlockDevice, BlockError } from "@blockstrata/device"
import { assert, settle } from "../assertion.ts"
import type { DeviceWish } from "../conformance/conformance-options.ts"
import { crashImages } from "../media/crash-image.ts"
import { createMedia, type Media } from "../media/media.ts"
import { BlockModel, type CrashExpectation } from "../model/block-model.ts"
import { pause } from "../probe.ts"
import { tryChangedBit } from "./changed-bit.ts"
import type { Operation, Request } from "./operation.ts"
import { readBlocks, readRun } from "./read-blocks.ts"
import { type OpenStack, Requests } from "./requests.ts"
import { Windows } from "./windows.ts"

/** Makes a stack on the media that it asks for, or opens it again: the same function that `testBlockDevice` takes. */
export type CreateStack = (wish: DeviceWish) => Promise<BlockDevice> | BlockDevice

export interface SessionOptions {
  readonly create: CreateStack
  /** Bytes that the device is asked to have. */
  readonly minimumSizeBytes: number
  /** Decides how long requests of the media take, in turns of the microtask queue. */
  readonly jitter: number
  /** A bit that changes below must be reported, or at least do no harm. */
  readonly isAuthentic: boolean
}

/** Turns after which nothing may be left that was under way. */
const IDLE_TURN_COUNT = 200
/** Turns that a request of a medium takes at the most. */
const TURN_COUNT_MAX = 16
/** A flush takes longer than anything else, and up to twice as long as this. */
const FLUSH_TURN_COUNT = 64

/** One stack, from fresh media to the end of a list of operations. */
export class StackSession {
  readonly #options: SessionOptions
  readonly #media: Media
  readonly #requests = new Requests()
  #stack: OpenStack
  /** A failure that was made below: the device may refuse everything until it is opened again. */
  #isSuspect = false

  private constructor(options: SessionOptions, media: Media, stack: OpenStack) {
    this.#options = options
    this.#media = media
    this.#stack = stack
    this.#slow()
  }

  static async start(options: SessionOptions): Promise<StackSession> {
    const media = createMedia()
    const device = await options.create(wishOf(options, media, true))
    return new StackSession(options, media, await opened(device))
  }

  get device(): BlockDevice {
    return this.#stack.device
  }

  /** The stack stands on media that can crash and be altered. */
  get hasMedia(): boolean {
    return this.#media.byName.size > 0
  }

  async run(operation: Operation): Promise<void> {
    switch (operation.do) {
      case "together":
        await this.#together(operation.requests)
        break
      case "failing":
        await this.#failing(operation)
        break
      case "reopen":
        await this.#reopen()
        break
      case "crash":
        await this.#crash(operation)
        break
      case "corrupt":
        await this.#corrupt(operation)
        break
      default:
        await this.#one(operation)
    }
  }

  /** Everything is read once more, and the stack closed. */
  async finish(): Promise<void> {
    await pause(IDLE_TURN_COUNT)
    await this.#readAll()
    this.#requests.checkBuffers()
    const closing = await settle(() => this.device.close(), "close")
    if (closing.kind === "rejected" && !this.#isSuspect) throw closing.error
  }

  /** After a failure of the test: whatever it takes to let go. */
  async abandon(): Promise<void> {
    this.#media.intercept = undefined
    await this.device.close().catch(() => {})
  }

  async #one(request: Request): Promise<void> {
    const isDone = await this.#requests.run(this.#stack, request, this.#isSuspect)
    if (!isDone && this.#isSuspect) await this.#reopen()
    else if (isDone && request.do === "read") await this.#requests.checkStatus(this.#stack, request)
    this.#requests.checkBuffers()
  }

  async #together(requests: readonly Request[]): Promise<void> {
    await all(requests.map((request) => this.#requests.run(this.#stack, request, this.#isSuspect)))
    this.#requests.checkBuffers()
  }

  async #failing({ below, nth, request }: Operation & { do: "failing" }): Promise<void> {
    let seen = 0
    this.#slow((kind) => {
      const isKind = below === "write" ? kind !== "read" && kind !== "flush" : kind === below
      if (!isKind || ++seen !== nth) return
      this.#isSuspect = true
      throw new BlockError("IO", `the ${below} fails on purpose`)
    })
    await this.#requests.run(this.#stack, request, true)
    this.#slow()
    // What is late lands now, in a buffer that is the caller's again.
    await pause(IDLE_TURN_COUNT)
    this.#requests.checkBuffers()
  }

  async #reopen(): Promise<void> {
    if (!this.hasMedia) return
    const expected = modelsOf(this.#stack).map((model) => model.expectation())
    const outcome = await settle(() => this.device.close(), "close")
    const wasSuspect = this.#isSuspect
    if (outcome.kind === "rejected" && !wasSuspect) throw outcome.error
    await this.#openAgain()
    if (wasSuspect) return await this.#compareWith(expected, "opened again after a failure")
    // A close flushes.
    for (const model of modelsOf(this.#stack)) model.flush().settled()
  }

  async #openAgain(): Promise<void> {
    this.#isSuspect = false
    const device = await this.#options.create(wishOf(this.#options, this.#media, false))
    this.#stack = sameStack(this.#stack, device)
  }

  async #crash({ during, turns, left }: Operation & { do: "crash" }): Promise<void> {
    if (!this.hasMedia) return
    const underWay = during.map((request) => this.#requests.run(this.#stack, request, true))
    await pause(turns)
    const expected = modelsOf(this.#stack).map((model) => model.expectation())
    let turn = 0
    this.#media.crash((change) => {
      const medium = this.#media.byName.get(change.medium)
      const images = crashImages(change.length, medium?.current.unit ?? change.length, false)
      return images[(left[turn++ % left.length] ?? 0) % images.length] ?? "absent"
    })
    await all(underWay)
    await this.device.close().catch(() => {})
    await this.#openAgain()
    await this.#compareWith(expected, "opened after the crash")
  }

  /** What the device holds must be among what is expected; from then on it must hold that. */
  async #compareWith(expected: readonly CrashExpectation[], when: string): Promise<void> {
    const { device, windows } = this.#stack
    const blocks = await readBlocks(device, windows)
    for (const [plane, model] of modelsOf(this.#stack).entries()) {
      for (const [index, content] of blocks.entries()) {
        const problem = expected[plane]?.problem(index, content[plane])
        assert(problem === undefined, `${when}: ${problem}`)
      }
      model.reopened((block) => blocks[block]?.[plane])
    }
  }

  async #readAll(): Promise<void> {
    for (const { index, count } of this.#stack.windows.runs()) await this.#one({ do: "read", at: index, count })
  }

  async #corrupt({ at, part, bit, reopens }: Operation & { do: "corrupt" }): Promise<void> {
    if (!this.#options.isAuthentic || !this.hasMedia || this.#isSuspect) return
    const { windows } = this.#stack
    const { index } = windows.run(at, 1)
    let isReported = false
    const read = async (): Promise<void> => {
      if (reopens) isReported = await this.#findsWhileReopening()
      if (isReported) return
      // INTEGRITY is the right answer; so are the right bytes, from a cache or a copy.
      const expected = this.#stack.data.read(index, 1)
      const [data] = await readRun(this.device, windows, index, 1)
      const problem = data?.[0] && expected.problem(0, data[0])
      assert(
        problem === undefined,
        `bit ${bit} of the ${part} below block ${index} changed, and the read resolved: ${problem}`,
      )
    }
    await this.device.flush()
    const expected = modelsOf(this.#stack).map((model) => model.expectation())
    await tryChangedBit(this.device, this.#media, windows.offsetOf(index), part, bit, read)
    if (isReported) {
      await this.#openAgain()
      await this.#compareWith(expected, "opened again once the bit was put back")
    } else if (reopens) await this.#reopen()
  }

  /** Whether a changed bit is told of when the stack is closed or opened: what a journal holds is written over it. */
  async #findsWhileReopening(): Promise<boolean> {
    const outcome = await settle(() => this.#reopen(), "opened again")
    if (outcome.kind === "resolved") return false
    if (outcome.error instanceof BlockError && outcome.error.code === "INTEGRITY") return true
    throw outcome.error
  }

  /** Every request of a medium takes some turns, another number each time, so that they overtake each other. */
  #slow(fail?: (kind: string) => void): void {
    let count = 0
    const { jitter } = this.#options
    this.#media.intercept = async ({ kind }) => {
      // The failing one fails before the others that go with it have landed.
      fail?.(kind)
      const spread = Math.imul(++count + jitter, 0x9e3779b1) >>> 16
      await pause(kind === "flush" ? FLUSH_TURN_COUNT + (spread % FLUSH_TURN_COUNT) : spread % TURN_COUNT_MAX)
    }
  }
}

function wishOf({ minimumSizeBytes }: SessionOptions, media: Media, isNew: boolean): DeviceWish {
  return { medium: media.medium, isNew, minimumSizeBytes, base: (device) => device }
}

async function opened(device: BlockDevice): Promise<OpenStack> {
  const windows = new Windows(device)
  const { atomicSize, write } = device.features
  if (write) await wipeUnreadable(device, windows)
  const blocks = await readBlocks(device, windows)
  const shape = { blockCount: windows.blockCount, blockSize: device.blockSize, atomicSize }
  const tagShape = {
    ...shape,
    blockSize: device.tagSize,
    atomicSize: atomicSize < device.blockSize ? 0 : device.tagSize,
  }
  return {
    device,
    windows,
    data: new BlockModel(shape, (block) => blocks[block]?.[0] ?? "anything"),
    tags: device.tagSize > 0 ? new BlockModel(tagShape, (block) => blocks[block]?.[1] ?? "anything") : undefined,
  }
}

/** The stack, opened again: of the same shape as before. */
function sameStack(before: OpenStack, device: BlockDevice): OpenStack {
  const shape = ({ size, blockSize, tagSize }: BlockDevice) =>
    `${size} bytes in blocks of ${blockSize}, tags of ${tagSize}`
  assert(shape(device) === shape(before.device), `opened again: expected ${shape(before.device)}, got ${shape(device)}`)
  return { ...before, device }
}

function modelsOf({ data, tags }: OpenStack): BlockModel[] {
  return tags ? [data, tags] : [data]
}

/** Writes blocks that are unreadable because nothing was ever written there: allowed, and of no use to a test. */
async function wipeUnreadable(device: BlockDevice, windows: Windows): Promise<void> {
  const tags = device.tagSize > 0 ? { tags: new Uint8Array(device.tagSize) } : {}
  for (const [index, [data]] of (await readBlocks(device, windows)).entries()) {
    if (data === undefined) await device.write(windows.offsetOf(index), new Uint8Array(device.blockSize), tags)
  }
  await device.flush()
}

/** Waits for all, then throws the first failure. */
async function all(requests: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(requests)) if (outcome.status === "rejected") throw outcome.reason
}
