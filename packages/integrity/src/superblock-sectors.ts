import { type BlockDevice, BlockError } from "@blockstrata/device"
import { decodeSuperblock, type IntegritySuperblock, SUPERBLOCK_SIZE } from "./superblock.ts"

/**
 * The bytes of the superblock's sectors, `start` bytes into `device`.
 *
 * @throws BlockError `INVALID` if they do not lie on the device.
 */
export async function readSuperblockSectors(device: BlockDevice, start = 0): Promise<Uint8Array> {
  const isPlace = Number.isSafeInteger(start) && start >= 0 && start <= device.size - SUPERBLOCK_SIZE
  if (!isPlace || start % device.blockSize !== 0 || SUPERBLOCK_SIZE % device.blockSize !== 0) {
    throw new BlockError("INVALID", `integrity: no room for a superblock at offset ${start} of ${device.size} bytes`)
  }
  const bytes = new Uint8Array(SUPERBLOCK_SIZE)
  await device.read(start, bytes)
  return bytes
}

/**
 * Reads the superblock of a volume that starts `start` bytes into `device`.
 *
 * @throws BlockError as `decodeSuperblock`; `INVALID` if it does not lie on the device.
 */
export async function readIntegritySuperblock(device: BlockDevice, start = 0): Promise<IntegritySuperblock> {
  return decodeSuperblock(await readSuperblockSectors(device, start))
}
