import { tableError } from "./table-error.ts"

/**
 * dmsetup's concise form: `name,uuid,minor,flags,line[,line...][;name,...]`. A backslash takes the next character out
 * of its role, whatever it is. White space before a field is dropped, and a semicolon may end the text.
 *
 * @returns one list of fields per device.
 * @throws BlockError `INVALID` for a backslash at the end, and for a device of fewer than five fields.
 * Source: dmsetup(8), CONCISE FORMAT; compared with dmsetup 1.02.185.
 */
export function splitConcise(text: string): string[][] {
  const devices: string[][] = []
  let fields: string[] = [""]
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? ""
    const field = fields.at(-1) ?? ""
    if (character === ",") fields.push("")
    else if (character === ";") {
      devices.push(fields)
      fields = [""]
    } else if (character === "\\") {
      index += 1
      const next = text[index]
      if (next === undefined) throw tableError("INVALID", "a backslash ends the text")
      fields[fields.length - 1] = field + next
    } else if (field !== "" || !/\s/.test(character)) fields[fields.length - 1] = field + character
  }
  const isEnded = devices.length > 0 && fields.length === 1 && fields[0] === ""
  if (!isEnded) devices.push(fields)
  for (const device of devices) {
    if (device.length < 5 || device.at(-1) === "") {
      throw tableError(
        "INVALID",
        `expected "start length target ...", or in the concise form five fields for each device`,
      )
    }
  }
  return devices
}

/** One device in the concise form. */
export function joinConcise(fields: readonly string[]): string {
  return fields.map(escapeField).join(",")
}

function escapeField(field: string, index: number): string {
  const escaped = field.replace(/[\\,;]/g, "\\$&")
  // What would be dropped, or read as the start of a plain line, is taken out of its role as well.
  return /^\s/.test(field) || (index === 0 && /^(#|\d+\s)/.test(field)) ? `\\${escaped}` : escaped
}
