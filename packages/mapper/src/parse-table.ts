import type { TableWord } from "@blockstrata/device"
import { splitConcise } from "./concise.ts"
import { checkReferences } from "./reference.ts"
import type { Table, TableDevice } from "./table.ts"
import { tableError } from "./table-error.ts"
import { parseLines } from "./table-line.ts"

/** Longest name and uuid in the kernel's interface, and the highest minor number. */
const NAME_LENGTH_MAX = 127
const UUID_LENGTH_MAX = 128
const MINOR_MAX = 2 ** 20 - 1

/**
 * Reads a table: plain lines, which are the ranges of one device, or dmsetup's concise form of several devices.
 *
 * The text is plain lines if its first line that is neither blank nor a comment begins with two numbers; else it is
 * the concise form. (A device of such a name can come first all the same: with a backslash before it.)
 *
 * Nothing is opened. Arguments are read by `words`, whose errors come with their line.
 *
 * @throws BlockError `INVALID` for what Linux refuses, `UNSUPPORTED` naming the word for what only this library does.
 * Source: dmsetup(8); the kernel's checks of a table.
 */
export function parseTable(text: string, words: readonly TableWord[]): Table {
  const table: Table = {
    devices: isPlain(text)
      ? [
          {
            name: undefined,
            uuid: undefined,
            minor: undefined,
            readOnly: false,
            lines: parseLines(rows(text), words, ""),
          },
        ]
      : splitConcise(text).map((fields) => parseDevice(fields, words)),
  }
  checkReferences(table)
  return table
}

function rows(text: string): string[] {
  return text.split("\n")
}

function isPlain(text: string): boolean {
  const first = rows(text).find((row) => !/^\s*(#|$)/.test(row))
  return first === undefined || /^\s*\d+\s+\d+(\s|$)/.test(first)
}

function parseDevice(fields: readonly string[], words: readonly TableWord[]): TableDevice {
  const [name = "", uuid = "", minor = "", flags = "", ...lines] = fields
  if (name === "" || name.length > NAME_LENGTH_MAX || name.includes("/") || hasControl(name)) {
    throw tableError("INVALID", `name: expected 1 to ${NAME_LENGTH_MAX} characters, none of them "/"`)
  }
  if (uuid.length > UUID_LENGTH_MAX || hasControl(uuid)) {
    throw tableError("INVALID", `uuid: expected at most ${UUID_LENGTH_MAX} characters`)
  }
  if (minor !== "" && !(/^\d{1,8}$/.test(minor) && Number(minor) <= MINOR_MAX)) {
    throw tableError("INVALID", `minor: expected a number up to ${MINOR_MAX}, or nothing`)
  }
  if (!["", "ro", "rw"].includes(flags)) throw tableError("INVALID", `flags: expected "ro", "rw" or nothing`)
  return {
    name,
    uuid: uuid === "" ? undefined : uuid,
    minor: minor === "" ? undefined : Number(minor),
    readOnly: flags === "ro",
    lines: parseLines(lines.flatMap(rows), words, `device ${JSON.stringify(name)}, `),
  }
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\u007f")
}
