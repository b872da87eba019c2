import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import type { LooseDevices } from "./loose-devices.ts"
import type { FileOperand } from "./operand.ts"
import { checkDepth, operandResolver, type Reference, type ResolveOperand } from "./reference.ts"
import type { Table } from "./table.ts"
import { tableError } from "./table-error.ts"

/** Opens a file of a table; called once for each path. */
export type OpenOperand = (operand: FileOperand, options: { readonly readOnly: boolean }) => Promise<BlockDevice>

/** What stands on one file, or on one device of the table. */
interface Use {
  userCount: number
  /** No user may write. */
  isReadOnly: boolean
  operand: FileOperand | undefined
}

/** Hands out what table lines stand on: one handle for each operand of each line. */
export interface BaseDevices {
  take(deviceIndex: number, operand: string): Promise<BlockDevice>
  /** A device of the table is built: later lines may take it. */
  provide(deviceIndex: number, device: BlockDevice): void
}

/**
 * Counts first who stands on what, so that a path is opened once, for writing only if a user may write, and shared
 * only if there are several.
 *
 * @throws BlockError `INVALID` for references that make no sense and for a file that is given two block or tag sizes, `UNSUPPORTED` for a URI
 * and for too many devices on top of each other.
 */
export function baseDevices(
  table: Table,
  readOnly: boolean,
  openOperand: OpenOperand,
  loose: LooseDevices,
): BaseDevices {
  const resolve = operandResolver(table)
  checkDepth(table, resolve)
  const uses = countUses(table, readOnly, resolve)
  const handles = new Map<string, BlockDevice[]>()
  const isReadOnly = (deviceIndex: number) => readOnly || table.devices[deviceIndex]?.readOnly === true

  function divide(key: string, device: BlockDevice): BlockDevice[] {
    const parts = loose.divide(device, uses.get(key)?.userCount ?? 0)
    handles.set(key, parts)
    return parts
  }

  return {
    async take(deviceIndex, operand) {
      const reference = resolve(deviceIndex, operand)
      if (reference.kind === "mem") {
        const { size, blockSize, tagSize } = reference
        return loose.add(memoryDevice({ size, blockSize, tagSize, readOnly: isReadOnly(deviceIndex) }))
      }
      const key = keyOf(reference)
      const use = uses.get(key)
      let parts = handles.get(key)
      if (parts === undefined && use?.operand !== undefined) {
        parts = divide(key, loose.add(await openOperand(use.operand, { readOnly: use.isReadOnly })))
      }
      const part = parts?.shift()
      if (part === undefined) throw new TypeError("baseDevices: more handles are taken than operands were counted")
      return part
    },
    provide(deviceIndex, device) {
      divide(keyOf({ kind: "device", deviceIndex }), device)
    },
  }
}

function countUses(table: Table, readOnly: boolean, resolve: ResolveOperand): Map<string, Use> {
  const uses = new Map<string, Use>()
  for (const [deviceIndex, device] of table.devices.entries()) {
    for (const operand of device.lines.flatMap((line) => line.operands)) {
      const reference = resolve(deviceIndex, operand)
      if (reference.kind === "mem") continue
      const file = reference.kind === "file" ? reference : undefined
      const use = uses.get(keyOf(reference)) ?? { userCount: 0, isReadOnly: true, operand: file }
      if (use.operand?.blockSize !== file?.blockSize || use.operand?.tagSize !== file?.tagSize) {
        throw tableError("INVALID", "a file has one block size and one tag size wherever it stands")
      }
      use.userCount += 1
      if (!readOnly && !device.readOnly) use.isReadOnly = false
      uses.set(keyOf(reference), use)
    }
  }
  return uses
}

function keyOf(reference: Exclude<Reference, { kind: "mem" }>): string {
  if (reference.kind === "device") return `device:${reference.deviceIndex}`
  if (reference.kind === "file") return `file:${reference.path}`
  throw tableError("UNSUPPORTED", `operand: no device over ${reference.scheme}:// is built here`)
}
