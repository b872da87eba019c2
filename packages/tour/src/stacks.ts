import { loadKernelVolume } from "./kernel-volume.ts"
import type { Stack } from "./stack.ts"

/** The columns of the tour's table. */
export async function tourStacks(): Promise<readonly [xts: Stack, aead: Stack, above: Stack, below: Stack]> {
  const xts = await loadKernelVolume("crypt-aes-xts-plain64-4096")
  const aead = await loadKernelVolume("crypt-integrity-aes-gcm-random")
  return [
    { name: "XTS alone", volume: xts, hashTree: "none" },
    { name: "AEAD over integrity", volume: aead, hashTree: "none" },
    { name: "verity over AEAD", volume: aead, hashTree: "above" },
    { name: "AEAD over verity", volume: aead, hashTree: "below" },
  ]
}
