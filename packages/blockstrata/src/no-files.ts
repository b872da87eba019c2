import { BlockError } from "@blockstrata/device"
import type { OpenFile } from "./file-opener.ts"

/** A host without files: `openVolume` takes an `openFile` there, which gives paths a meaning. */
export const openFile: OpenFile = async (path) => {
  throw new BlockError("UNSUPPORTED", `file: this host has no files: ${path}`, { operation: "open" })
}
