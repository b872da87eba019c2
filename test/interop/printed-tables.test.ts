import { describe, expect, it } from "vitest"
import { loadVector } from "../vector.ts"
import { bitmapWords, openVectorStack } from "../vector-stack.ts"
import { bitmapVectors, coveredVectors } from "./covered-vectors.ts"

/** Device numbers (`98:0`), images and lower devices all become `DEV`: what stands there is the host's. */
function withoutOperands(line: string, names: readonly string[]): string {
  const isOperand = (word: string) =>
    /^(meta_device:)?\d+:\d+$/.test(word) || /\.img(,|$)/.test(word) || names.includes(word)
  return line
    .split(" ")
    .map((word) => (isOperand(word) ? "DEV" : word))
    .join(" ")
}

describe("the table is printed as dmsetup prints it", () => {
  it.each([...coveredVectors, ...bitmapVectors])("%s", async (name) => {
    const vector = loadVector(name)
    const names = vector.stack.map((device) => device.name)
    const { device, printTable } = await openVectorStack(vector, { words: bitmapWords })
    const kernel = (vector.manifest.outputs["table"] ?? "").split("\n").map((line) => line.replace(/^\w+: /, ""))
    const shown = printTable({ showKeys: true })
    const printed = shown.split(";").map((entry) => entry.split(",rw,")[1]?.replaceAll("\\", "") ?? "")
    expect(printed.map((line) => withoutOperands(line, names))).toEqual(
      kernel.map((line) => withoutOperands(line, names)),
    )
    const hidden = printTable()
    expect(hidden.length).toBe(shown.length)
    const keys = Object.entries(vector.manifest.secrets).filter(([secret]) => secret !== "salt")
    for (const [, key] of keys) expect(hidden).not.toContain(key)
    await device.close()
  })
})
