import type { BigIntStats } from "node:fs"
import { BlockError } from "../block-error.ts"
import { toSafeInteger } from "../safe-integer.ts"
import { errnoOf } from "./errno.ts"
import type { FileHost } from "./file-host.ts"

/** Bytes: the unit of `size` below /sys/dev/block, whatever the device's own block size. */
const SYSFS_SECTOR_BYTES = 512n

/**
 * Bytes of a regular file or a block special file.
 *
 * @throws BlockError `UNSUPPORTED` for a block special file where the system does not tell its size in /sys.
 */
export async function mediumSizeBytes(host: FileHost, stats: BigIntStats, path: string): Promise<number> {
  if (!stats.isBlockDevice()) return toSafeInteger(stats.size, "file: size")
  const unknown = (why: string, place = {}) =>
    new BlockError("UNSUPPORTED", `file: size of block special file ${JSON.stringify(path)}: ${why}`, {
      device: "file",
      operation: "open",
      ...place,
    })
  if (host.platform !== "linux") throw unknown(`block special files on ${host.platform}`)
  const { major, minor } = splitDeviceNumber(stats.rdev)
  const sizePath = `/sys/dev/block/${major}:${minor}/size`
  let text: string
  try {
    text = (await host.readText(sizePath)).trim()
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    throw unknown(`no ${sizePath}`, { cause: error })
  }
  if (!/^\d{1,20}$/.test(text)) throw unknown(`${sizePath}: expected a number`)
  return toSafeInteger(BigInt(text) * SYSFS_SECTOR_BYTES, "file: size")
}

/** As glibc packs them (gnu_dev_makedev): minor in bits 0-7 and 20-43, major in bits 8-19 and 44-63. */
export function splitDeviceNumber(device: bigint): { major: bigint; minor: bigint } {
  const bits = (from: bigint, count: bigint) => (device / 2n ** from) % 2n ** count
  return {
    major: bits(8n, 12n) + bits(44n, 20n) * 2n ** 12n,
    minor: bits(0n, 8n) + bits(20n, 24n) * 2n ** 8n,
  }
}
