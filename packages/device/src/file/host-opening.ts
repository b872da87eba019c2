import type { BlockDevice } from "../block-device.ts"
import { checkShape } from "../device-shape.ts"
import { requestError } from "./errno.ts"
import { fileDevice } from "./file-device.ts"
import type { FileHost } from "./file-host.ts"
import type { HoleLoader } from "./hole-calls.ts"
import { IO_MODES } from "./io-mode.ts"
import { createFile, openExisting } from "./open-file.ts"
import type { OpenFileDeviceOptions } from "./open-file-device.ts"

/** Opens a file device on any system, such as one that fails. */
export async function openOnHost(
  host: FileHost,
  loader: HoleLoader,
  path: string,
  options: OpenFileDeviceOptions,
): Promise<BlockDevice> {
  const { readOnly = false, blockSize = 512, tagSize = 0, create = false, size, io: mode = "auto" } = options
  if (!IO_MODES.includes(mode)) throw new TypeError(`file: io: expected auto, sync or threads, got ${String(mode)}`)
  if (create && readOnly) throw new TypeError("file: create: not with readOnly")
  if (create !== (size !== undefined)) throw new TypeError("file: create and size: expected both or neither")
  // The edge would refuse these too, but only once the file stands.
  checkShape({ name: "file", size: size ?? 0, blockSize, tagSize, read: async () => {} })
  const fileSize = size === undefined ? undefined : size + (size / blockSize) * tagSize
  if (fileSize !== undefined && !Number.isSafeInteger(fileSize))
    throw new RangeError("file: size: too large with its tags")

  const file =
    fileSize === undefined ? await openExisting(host, path, !readOnly) : await createFile(host, path, fileSize)
  try {
    return await fileDevice({ file, readOnly, blockSize, tagSize, mode, host, loader })
  } catch (error) {
    await file.close()
    throw requestError(error, "open")
  }
}
