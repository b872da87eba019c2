import { stat } from "node:fs/promises"

/** Whether two paths lead to one file, or to one disk. False where either does not exist. */
export async function isSameFile(left: string, right: string): Promise<boolean> {
  const identity = await identityOf(left)
  return identity !== undefined && identity === (await identityOf(right))
}

async function identityOf(path: string): Promise<string | undefined> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined)
  if (stats === undefined) return undefined
  return stats.isBlockDevice() ? `disk ${stats.rdev}` : `file ${stats.dev}:${stats.ino}`
}
