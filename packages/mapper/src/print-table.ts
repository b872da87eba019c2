import { isArgument } from "./argument.ts"
import { joinConcise } from "./concise.ts"
import type { Table, TableDevice, TableLine } from "./table.ts"
import { tableError } from "./table-error.ts"

export interface PrintTableOptions {
  /** Keys as they are; else as zeros of the same length, as dmsetup prints them. */
  readonly showKeys: boolean
  /** Plain lines for one device; else dmsetup's concise form. If not given: lines, unless the device has a name. */
  readonly form?: "lines" | "concise" | undefined
}

/**
 * The text of a table, which `parseTable` reads back. Without a newline at its end.
 *
 * @throws RangeError for `lines` with several devices, and for `concise` with a device that has no name.
 * @throws BlockError `INVALID` for an operand that no table line can say: one with white space or `#` in it.
 */
export function printTable(table: Table, { showKeys, form }: PrintTableOptions): string {
  const [device] = table.devices
  const isPlain = form === undefined ? table.devices.length === 1 && device?.name === undefined : form === "lines"
  if (!isPlain) return table.devices.map((each) => joinConcise(conciseFields(each, showKeys))).join(";")
  if (device === undefined || table.devices.length > 1) {
    throw new RangeError(`printTable: lines say one device, got ${table.devices.length}`)
  }
  return device.lines.map((line) => printLine(line, showKeys)).join("\n")
}

function conciseFields(device: TableDevice, showKeys: boolean): string[] {
  if (device.name === undefined) throw new RangeError("printTable: a device of the concise form has a name")
  return [
    device.name,
    device.uuid ?? "",
    device.minor === undefined ? "" : String(device.minor),
    device.readOnly ? "ro" : "rw",
    ...device.lines.map((line) => printLine(line, showKeys)),
  ]
}

function printLine({ startSectors, lengthSectors, word, line }: TableLine, showKeys: boolean): string {
  const args = word.print(line, { showKeys })
  if (!args.every(isArgument)) {
    throw tableError("INVALID", `an argument of ${word.word} has white space or "#" in it, which no table line can say`)
  }
  return [startSectors, lengthSectors, word.word, ...args].join(" ")
}
