import { loadKernelVolume } from "./kernel-volume.ts"
import { type TourStack, tourStack } from "./stack.ts"

/** The columns of the tour's table. */
export async function tourStacks(): Promise<
  readonly [xts: TourStack, aead: TourStack, above: TourStack, below: TourStack]
> {
  const xts = await loadKernelVolume("crypt-aes-xts-plain64-4096")
  const aead = await loadKernelVolume("crypt-integrity-aes-gcm-random")
  return [
    tourStack("XTS alone", xts, "none"),
    tourStack("AEAD over integrity", aead, "none"),
    tourStack("verity over AEAD", aead, "above"),
    tourStack("AEAD over verity", aead, "below"),
  ]
}
