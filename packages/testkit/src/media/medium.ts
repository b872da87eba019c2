import { applyImage, type CrashImage } from "./crash-image.ts"
import { MediumContent, type MediumGeometry } from "./medium-content.ts"
import { isChange, type MediumEvent } from "./medium-event.ts"

/** A change that landed, and whether a crash may still lose it. */
interface Landed {
  readonly change: MediumEvent
  isDurable: boolean
}

/**
 * A medium under a stack: what reads of it give, and which changes a crash may lose. A change is durable once a flush
 * that was issued after it had landed has itself landed, or when it went with FUA.
 */
export class Medium {
  readonly name: string
  readonly shape: MediumGeometry
  /** What reads give. What is altered here a crash takes back; to alter the medium for good, `restore` an altered fork. */
  current: MediumContent
  /** Changes that landed since the medium was made. */
  changeCount = 0
  /** What was durable before the first of `#landed`. */
  #base: MediumContent
  #landed: Landed[] = []

  constructor(name: string, shape: MediumGeometry, content: MediumContent = new MediumContent(shape)) {
    this.name = name
    this.shape = shape
    this.current = content
    this.#base = content.fork()
  }

  /** The same content, all of it durable. */
  fork(): Medium {
    return new Medium(this.name, this.shape, this.current.fork())
  }

  /** What a crash may lose, in the order in which it landed. */
  pending(): MediumEvent[] {
    return this.#landed.filter(({ isDurable }) => !isDurable).map(({ change }) => change)
  }

  /** A change or a flush takes effect. Its `landedAt` and data are set. */
  land(event: MediumEvent): void {
    if (event.kind === "flush") return this.#flush(event.issuedAt)
    if (!isChange(event)) return
    this.changeCount++
    this.current.apply(event, 0, event.length)
    this.#landed.push({ change: event, isDurable: event.fua })
    this.#advance()
  }

  /** The content after a crash that leaves `image(change)` of what it may lose, and everything else whole. */
  afterCrash(image: (change: MediumEvent) => CrashImage): MediumContent {
    const content = this.#base.fork()
    for (const { change, isDurable } of this.#landed) applyImage(content, change, isDurable ? "whole" : image(change))
    return content
  }

  /** The medium holds `content`, all of it durable. */
  restore(content: MediumContent): void {
    this.current = content
    this.#base = content.fork()
    this.#landed = []
  }

  /**
   * Takes back a byte that was altered here by hand: also in what a crash leaves, for a stack may have read it and written
   * it again with what stands beside it.
   */
  putBack(area: "data" | "tags", offset: number, altered: number, before: number): void {
    for (const content of [this.current, this.#base]) {
      const byte = new Uint8Array(1)
      content[area].read(offset, byte)
      if (byte[0] === altered) content[area].write(offset, Uint8Array.of(before))
    }
    for (const { change } of this.#landed) {
      const at = offset - (area === "data" ? change.offset : this.current.tagOffset(change.offset))
      const bytes = change[area]
      if (bytes?.[at] === altered) bytes[at] = before
    }
  }

  #flush(issuedAt: number): void {
    for (const landed of this.#landed) landed.isDurable ||= (landed.change.landedAt ?? issuedAt) < issuedAt
    this.#advance()
  }

  /** Later changes lie over earlier ones: only those at the front can leave the list. */
  #advance(): void {
    let count = 0
    for (const { change, isDurable } of this.#landed) {
      if (!isDurable) break
      this.#base.apply(change, 0, change.length)
      count++
    }
    if (count > 0) this.#landed.splice(0, count)
  }
}
