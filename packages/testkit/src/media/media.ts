import { type BlockDevice, BlockError } from "@blockstrata/device"
import type { CrashImage } from "./crash-image.ts"
import { Medium } from "./medium.ts"
import type { MediumShape } from "./medium-content.ts"
import { mediumDevice } from "./medium-device.ts"
import { isChange, type MediumEvent } from "./medium-event.ts"

export interface MediaOptions {
  /**
   * Bytes: what the media state as their `atomicSize`. 512, if not given: a crash tears between sectors (between blocks,
   * where tags travel with them). 0: a crash may tear and zero anything that is not durable.
   */
  readonly atomicSize?: 0 | 512 | undefined
  /** Keeps `events`. False if not given. */
  readonly record?: boolean | undefined
}

/**
 * The media under one stack, by name: they outlive the devices that are opened on them, know what a crash may lose, and
 * can be forked, looked into and altered from outside.
 */
export interface Media {
  /**
   * A device on the medium of this name, which is made, all zero, when the name first occurs. Several may be open.
   * @throws RangeError if the medium has another shape.
   */
  medium(name: string, shape: MediumShape): BlockDevice
  readonly byName: ReadonlyMap<string, Medium>
  /** Every request of every medium in the order of issue, if recorded. */
  readonly events: readonly MediumEvent[]
  /** Requests that arrived and have not ended. */
  inFlightCount(): number
  /** Called before a request takes effect: what it awaits delays it, what it throws fails it. */
  intercept: ((event: MediumEvent) => Promise<void> | void) | undefined
  /** Called once a request has taken effect: what it awaits delays the answer, what it throws is the answer. */
  afterwards: ((event: MediumEvent) => Promise<void> | void) | undefined
  /** The next place in the common order, for marks of one's own. */
  tick(): number
  /**
   * Power fails: every device that is open on a medium is dead, with what it had under way; of each change that was not
   * durable there is left what `image` says. Changes under way may be left too.
   */
  crash(image: (change: MediumEvent) => CrashImage): void
  /** The same content on media of their own, all of it durable. What is open here is not open there. */
  fork(): Media
}

interface UnderWay {
  readonly medium: Medium
  readonly capture: () => void
  /** The power under which its device was opened. */
  readonly life: number
}

export function createMedia({ atomicSize = 512, record = false }: MediaOptions = {}): Media {
  return mediaOf(new Map(), { atomicSize, record })
}

/** Media that begin as these, which belong to them from now on. */
export function mediaOf(byName: Map<string, Medium>, options: { atomicSize: 0 | 512; record: boolean }): Media {
  const events: MediumEvent[] = []
  const underWay = new Map<MediumEvent, UnderWay>()
  let clock = 0
  let power = 0

  /** One request: waits, takes effect, settles; or fails, because `intercept` says so or the power is gone. */
  async function run(medium: Medium, event: MediumEvent, capture: () => void, effect: () => void, life: number) {
    const checkPower = () => {
      if (life !== power) throw new BlockError("IO", `${medium.name}: the power failed`, { ...event })
    }
    checkPower()
    if (options.record) events.push(event)
    underWay.set(event, { medium, capture, life })
    try {
      if (media.intercept !== undefined) await media.intercept(event)
      checkPower()
      // The bytes count as they are now: up to here they belong to whoever was given them.
      capture()
      event.landedAt = clock++
      medium.land(event)
      effect()
      if (media.afterwards !== undefined) {
        await media.afterwards(event)
        checkPower()
      }
    } finally {
      underWay.delete(event)
    }
  }

  const media: Media = {
    byName,
    events,
    intercept: undefined,
    afterwards: undefined,
    inFlightCount: () => underWay.size,
    tick: () => clock++,
    medium(name, { size, blockSize = 512, tagSize = 0 }) {
      const shape = { size, blockSize, tagSize }
      const medium = byName.get(name) ?? new Medium(name, shape)
      if (JSON.stringify(medium.shape) !== JSON.stringify(shape))
        throw new RangeError(`medium ${name}: another shape than before`)
      const life = power
      const device = mediumDevice(
        medium,
        options.atomicSize,
        () => clock++,
        (event, capture, effect) => run(medium, event, capture, effect, life),
      )
      // Not before: a shape that no device can have leaves no medium.
      byName.set(name, medium)
      return device
    },
    crash(image) {
      // What was under way may have arrived, in the order in which it was issued; what an earlier crash cut off may not.
      for (const [event, { medium, capture, life }] of underWay) {
        if (life !== power || event.landedAt !== undefined || !isChange(event)) continue
        capture()
        medium.land({ ...event, fua: false, landedAt: clock++ })
      }
      power++
      for (const medium of byName.values()) medium.restore(medium.afterCrash(image))
    },
    fork: () => mediaOf(new Map([...byName].map(([name, medium]) => [name, medium.fork()])), options),
  }
  return media
}
