import { type OperandSpec, parseOperand } from "./operand.ts"
import type { Table, TableDevice } from "./table.ts"
import { tableError } from "./table-error.ts"

/** What an operand means in its table: an earlier device, or something outside. */
export type Reference = { readonly kind: "device"; readonly deviceIndex: number } | OperandSpec

/**
 * What an operand of a line of device `deviceIndex` means. A device of the table goes before a file of its name.
 *
 * @throws BlockError `INVALID` for a device that comes later, or the device itself; what `parseOperand` throws.
 */
export type ResolveOperand = (deviceIndex: number, operand: string) => Reference

/** @throws BlockError `INVALID` unless names, uuids and minor numbers occur once. */
export function operandResolver({ devices }: Table): ResolveOperand {
  for (const key of ["name", "uuid", "minor"] as const) checkUnique(devices, key)
  const indices = new Map<string, number>()
  for (const [index, { name }] of devices.entries()) {
    if (name !== undefined) indices.set(name, index).set(`/dev/mapper/${name}`, index)
  }
  return (deviceIndex, operand) => {
    const found = indices.get(operand)
    if (found === undefined) return parseOperand(operand)
    if (found < deviceIndex) return { kind: "device", deviceIndex: found }
    const what = found === deviceIndex ? "itself" : "a later one"
    throw tableError("INVALID", `device ${deviceIndex + 1} stands on ${what}`)
  }
}

/** @throws BlockError as `operandResolver` and what it returns. */
export function checkReferences(table: Table): void {
  const resolve = operandResolver(table)
  for (const [deviceIndex, { lines }] of table.devices.entries()) {
    for (const { operands } of lines) for (const operand of operands) resolve(deviceIndex, operand)
  }
}

/** Devices on top of each other. Each takes some of the stack of every request, and a host has no more than so much. */
const DEPTH_MAX = 64

/** @throws BlockError `UNSUPPORTED` for devices that stand too high to be read. */
export function checkDepth({ devices }: Table, resolve: ResolveOperand): void {
  const depths: number[] = []
  for (const [deviceIndex, { lines }] of devices.entries()) {
    let depth = 1
    for (const operand of lines.flatMap((line) => line.operands)) {
      const reference = resolve(deviceIndex, operand)
      if (reference.kind === "device") depth = Math.max(depth, (depths[reference.deviceIndex] ?? 0) + 1)
    }
    if (depth > DEPTH_MAX) throw tableError("UNSUPPORTED", `more than ${DEPTH_MAX} devices on top of each other`)
    depths.push(depth)
  }
}

function checkUnique(devices: readonly TableDevice[], key: "name" | "uuid" | "minor"): void {
  const values = devices.flatMap((device) => device[key] ?? [])
  if (new Set(values).size < values.length) throw tableError("INVALID", `a ${key} occurs twice`)
}
