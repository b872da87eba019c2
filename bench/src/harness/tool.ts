import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"

const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin"]

/** The path of an installed program such as `veritysetup`, looked up on `PATH` and where a system keeps its root's tools. */
export function findTool(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter).filter(Boolean), ...SYSTEM_FOLDERS]
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
