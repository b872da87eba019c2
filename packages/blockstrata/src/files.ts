import { openFileDevice } from "@blockstrata/device/file"
import type { OpenFile } from "./file-opener.ts"

/** Paths are files and block special files of this host. */
export const openFile: OpenFile = (path, options) => openFileDevice(path, options)
