import type { BigIntStats } from "node:fs"
import { BlockError } from "../block-error.ts"

/** The files and block devices that this process has open for writing. */
const claimed = new Set<string>()

/**
 * What makes two openings the same medium: the inode of a file, whatever link or path led to it; the device number
 * of a block special file, whatever node stands for it.
 */
function identityOf(stats: BigIntStats): string {
  return stats.isBlockDevice() ? `block ${stats.rdev}` : `file ${stats.dev}:${stats.ino}`
}

/**
 * Claims a medium for one writable opening; the returned function gives it back. Other processes, and other copies of
 * this module (worker threads), are not kept out: for block special files the kernel does that.
 *
 * @throws BlockError `BUSY` if it is claimed already.
 */
export function claimMedium(stats: BigIntStats, path: string): () => void {
  const identity = identityOf(stats)
  if (claimed.has(identity)) {
    throw new BlockError("BUSY", `file: ${JSON.stringify(path)} is open for writing already`, {
      device: "file",
      operation: "open",
    })
  }
  claimed.add(identity)
  return () => {
    claimed.delete(identity)
  }
}
