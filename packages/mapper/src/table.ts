import type { TableWord } from "@blockstrata/device"

/** Bytes in a sector: the unit of every number in a table line. */
export const SECTOR_SIZE = 512

/** device-mapper devices, each over files, memory and earlier ones; the last is the volume. */
export interface Table {
  readonly devices: readonly TableDevice[]
}

/** One device: a range of sectors for each line, from 0 on and without gaps. */
export interface TableDevice {
  /** Absent where the text was plain lines. */
  readonly name: string | undefined
  readonly uuid: string | undefined
  readonly minor: number | undefined
  readonly readOnly: boolean
  readonly lines: readonly TableLine[]
}

/** `start length word arguments...`. */
export interface TableLine {
  readonly startSectors: number
  readonly lengthSectors: number
  readonly word: TableWord
  /** What `word` read in the arguments. */
  readonly line: unknown
  /** The device operands, in the order of the line. */
  readonly operands: readonly string[]
}
