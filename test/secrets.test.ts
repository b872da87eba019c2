import { inspect } from "node:util"
import { findSecret } from "@blockstrata/testkit"
import { BlockError, openVolume } from "blockstrata"
import { describe, expect, it } from "vitest"
import { strata } from "./cli/strata.ts"
import { coveredVectors } from "./interop/covered-vectors.ts"
import { loadVector, type Vector } from "./vector.ts"
import { imagesOf, openVectorStack, tableOfVector } from "./vector-stack.ts"

function keysOf(vector: Vector): Uint8Array[] {
  const line = vector.stack.map((device) => device.line).join(" ")
  const keys = Object.entries(vector.manifest.secrets)
    .filter(([name]) => name !== "salt")
    .map(([, hex]) => hex)
  return keys.filter((hex) => line.includes(hex)).map((hex) => new Uint8Array(Buffer.from(hex, "hex")))
}

/** Neither in what can be reached from a value, nor in what Node shows of it to the last byte. */
function expectNoKey(value: unknown, keys: readonly Uint8Array[]): void {
  const shown =
    typeof value === "string"
      ? value
      : inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null })
  expect(findSecret(value, keys)).toBeUndefined()
  expect(findSecret(shown.replace(/\s/g, ""), keys)).toBeUndefined()
}

const keyed = coveredVectors.map(loadVector).filter((vector) => keysOf(vector).length > 0)

describe("no byte of a key", () => {
  it.each(keyed.map((vector) => [vector.name, vector] as const))(
    "%s: in what a volume shows of itself, or in its errors",
    async (_name, vector) => {
      const keys = keysOf(vector)
      const images = imagesOf(vector)
      for (const bytes of images.values()) bytes.fill(0x5a, bytes.length / 2)
      const volume = await openVectorStack(vector, { images })
      expectNoKey(volume, keys)
      expectNoKey(volume.device.layer.status(), keys)
      expectNoKey(volume.printTable(), keys)
      const failure: unknown = await volume.device
        .read(0, new Uint8Array(volume.device.size))
        .catch((error: unknown) => error)
      expectNoKey(failure, keys)
      await volume.device.close()
      expectNoKey(volume, keys)
    },
  )

  it("in the error of any table that is refused for one word", async () => {
    for (const vector of keyed) {
      const words = tableOfVector(vector).split(" ")
      for (const [index] of words.entries()) {
        for (const changed of ["zz", `${words[index]}0`, ""]) {
          const table = words.toSpliced(index, 1, changed).join(" ")
          const opening = openVolume({
            table,
            readOnly: true,
            openFile: () => Promise.reject(new BlockError("IO", "no file")),
          })
          const failure: unknown = await opening.catch((error: unknown) => error)
          expect(failure).toBeInstanceOf(BlockError)
          expectNoKey(failure, keysOf(vector))
        }
      }
    }
  })

  it("in what strata prints of a table it cannot open", async () => {
    for (const vector of keyed) {
      const { text, error, status } = await strata(["table", "--table", tableOfVector(vector)])
      expect(status).not.toBe(0)
      expectNoKey(text + error, keysOf(vector))
    }
  })

  it("would go unnoticed here", () => {
    const key = Uint8Array.from({ length: 32 }, (_, index) => 7 * index + 1)
    for (const leak of [{ key }, { key: Buffer.from(key).toString("hex") }, [...key]])
      expect(() => expectNoKey(leak, [key])).toThrow("undefined")
  })
})
