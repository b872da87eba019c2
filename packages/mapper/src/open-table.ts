import { type BlockDevice, type EventListener, hostRuntime, type Runtime } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { type BaseDevices, baseDevices, type OpenOperand } from "./base-devices.ts"
import { LooseDevices } from "./loose-devices.ts"
import { rangesDevice, rangesProblem } from "./ranges-device.ts"
import { readOnlyDevice } from "./read-only.ts"
import { SECTOR_SIZE, type Table, type TableDevice, type TableLine } from "./table.ts"
import type { MapperContext } from "./table-context.ts"
import { tableError } from "./table-error.ts"

export interface OpenTableOptions {
  /** Opens a file operand; called once for each path. `mem:` operands are made here. */
  readonly openOperand: OpenOperand
  /** Nothing is written to any operand, whatever the flags of the devices say. */
  readonly readOnly?: boolean | undefined
  readonly runtime?: Runtime | undefined
  readonly engine?: Engine | undefined
  /** The bytes of keys that lines name as `:SIZE:TYPE:DESCRIPTION`. */
  readonly keys?: ((description: string) => Uint8Array | undefined) | undefined
  readonly onEvent?: EventListener | undefined
}

/** What building one line needs, beside the line. */
interface Building {
  readonly bases: BaseDevices
  readonly loose: LooseDevices
  readonly options: OpenTableOptions
}

/** A table that was built. */
export interface OpenedTable {
  /** The last device of the table, which owns everything below it. */
  readonly device: BlockDevice
  /** The table with what its volumes say themselves, as the kernel prints it. */
  readonly table: Table
}

/**
 * Builds the devices of a table, first to last. Devices and operands that the last one does not stand on are closed
 * again, as is everything where building fails.
 *
 * @throws BlockError `INVALID` where a line does not fit what is below it, `UNSUPPORTED` for an operand that is a URI;
 * what opening an operand or building a target throws.
 */
export async function openTable(table: Table, options: OpenTableOptions): Promise<OpenedTable> {
  const loose = new LooseDevices()
  const { readOnly = false, openOperand } = options
  try {
    const building = { bases: baseDevices(table, readOnly, openOperand, loose), loose, options }
    let volume: BlockDevice | undefined
    const devices: TableDevice[] = []
    for (const [deviceIndex, device] of table.devices.entries()) {
      const built = await buildDevice(device, deviceIndex, building)
      devices.push({ ...device, lines: built.lines })
      if (deviceIndex === table.devices.length - 1) volume = built.device
      else building.bases.provide(deviceIndex, built.device)
    }
    if (volume === undefined) throw tableError("INVALID", "expected at least one device")
    loose.release(volume)
    await closeUnused(loose, volume)
    return { device: volume, table: { devices } }
  } catch (error) {
    // The reason why the table did not open says more than what may go wrong on the way back.
    await loose.close().catch(() => {})
    throw error
  }
}

async function closeUnused(loose: LooseDevices, volume: BlockDevice): Promise<void> {
  try {
    await loose.close()
  } catch (error) {
    await volume.close().catch(() => {})
    throw error
  }
}

interface BuiltDevice {
  readonly device: BlockDevice
  readonly lines: readonly TableLine[]
}

async function buildDevice(device: TableDevice, deviceIndex: number, building: Building): Promise<BuiltDevice> {
  const { loose, options } = building
  const isReadOnly = options.readOnly === true || device.readOnly
  const ranges: BlockDevice[] = []
  const lines: TableLine[] = []
  for (const line of device.lines) {
    const range = await buildLine(line, deviceIndex, isReadOnly, building)
    ranges.push(range)
    lines.push({ ...line, line: (await line.word.complete?.(line.line, range)) ?? line.line })
  }
  const problem = rangesProblem(ranges)
  if (problem !== undefined) throw tableError(problem.code, problem.message)
  const [only] = ranges
  const whole = only !== undefined && ranges.length === 1 ? only : rangesDevice(ranges)
  for (const range of ranges) loose.release(range)
  return { device: loose.add(isReadOnly ? readOnlyDevice(whole) : whole), lines }
}

async function buildLine(
  line: TableLine,
  deviceIndex: number,
  isReadOnly: boolean,
  { bases, loose, options }: Building,
): Promise<BlockDevice> {
  const size = line.lengthSectors * SECTOR_SIZE
  const waiting = new Map<string, BlockDevice[]>()
  for (const operand of line.operands) {
    const handle = await bases.take(deviceIndex, operand)
    waiting.set(operand, [...(waiting.get(operand) ?? []), handle])
  }
  const taken: BlockDevice[] = []
  const context: MapperContext = {
    size,
    device(operand) {
      const handle = waiting.get(operand)?.shift()
      if (handle === undefined) throw new TypeError(`${line.word.word}: takes more operands than its line has`)
      taken.push(handle)
      return isReadOnly ? readOnlyDevice(handle) : handle
    },
    readOnly: isReadOnly,
    runtime: options.runtime ?? hostRuntime,
    onEvent: options.onEvent,
    engine: options.engine,
    resolveKey: options.keys,
  }
  const built = await line.word.open(line.line, context)
  for (const handle of taken) loose.release(handle)
  loose.add(built)
  if (built.size !== size) {
    throw tableError("INVALID", `${line.word.word}: the line has ${size} bytes, the device ${built.size}`)
  }
  return built
}
