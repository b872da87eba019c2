import { BlockError } from "@blockstrata/device"
import { createMedia } from "../media/media.ts"
import { tryChangedBit } from "./changed-bit.ts"
import type { CreateStack } from "./stack-session.ts"

/**
 * Whether a stack notices bits that change below it: it reported one of those that were tried, at the start and in the
 * middle, before and after writing, in the same session and in the next. Who reports one must report all.
 */
export async function isAuthentic(create: CreateStack): Promise<boolean> {
  const media = createMedia()
  const open = async (isNew: boolean) =>
    await create({ medium: media.medium, isNew, minimumSizeBytes: 0, base: (device) => device })
  let device = await open(true)
  let isReported = false
  const { size, blockSize, features } = device
  const places = [0, Math.floor(size / blockSize / 2) * blockSize, blockSize]
  const tryPlaces = async (): Promise<void> => {
    for (const place of places) {
      await tryChangedBit(device, media, place, "data", 5, async () => {
        isReported ||= await device.read(place, new Uint8Array(blockSize)).then(
          () => false,
          (error: unknown) => error instanceof BlockError && error.code === "INTEGRITY",
        )
      })
    }
  }
  await tryPlaces()
  if (features.write) {
    for (const place of places) await device.write(place, new Uint8Array(blockSize).fill(1))
    await device.flush()
  }
  await tryPlaces()
  await device.close()
  if (media.byName.size === 0) return isReported
  device = await open(false)
  await tryPlaces()
  await device.close()
  return isReported
}
