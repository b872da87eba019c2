import { expect, it } from "vitest"
import { findSecret } from "./secret-search.ts"

const secret = Uint8Array.from({ length: 32 }, (_, index) => (index * 71 + 200) % 256)
const binary = String.fromCharCode(...secret)
const hex = Array.from(secret, (byte) => byte.toString(16).padStart(2, "0")).join("")

class Holder {
  get hidden(): string {
    return hex
  }
}

const places: [name: string, value: unknown][] = [
  ["a text in hex", `key ${hex}`],
  ["in capitals", hex.toUpperCase()],
  ["half of it", hex.slice(32)],
  ["base64", btoa(binary)],
  ["base64 for addresses", btoa(binary).replaceAll("+", "-").replaceAll("/", "_")],
  ["raw", binary],
  ["decimals", `[${secret.join(", ")}]`],
  ["bytes", { deep: [{ key: secret }] }],
  ["bytes in a larger buffer", Uint8Array.from([1, 2, 3, ...secret, 4])],
  ["a buffer", secret.buffer],
  ["another view", new DataView(secret.buffer)],
  ["a map's key", new Map([[hex, 1]])],
  ["a set", new Set([secret])],
  ["a property's name", { [hex]: 1 }],
  ["a symbol", { [Symbol(hex)]: 1 }],
  ["an error's message", new Error(hex)],
  ["an error's cause", new Error("outer", { cause: new Error(hex) })],
  ["a getter of a class", new Holder()],
  ["what is not enumerable", Object.defineProperty({}, "key", { value: secret, enumerable: false })],
  ["a property of a function", Object.assign(() => 1, { key: secret })],
]

it.each(places)("finds a secret: %s", (_name, value) => {
  expect(findSecret(value, [secret])).toBeDefined()
})

it("says where", () => {
  expect(findSecret({ layer: { status: hex } }, [secret])).toBe("value.layer.status")
})

it("finds nothing where there is nothing, cycles and throwing getters included", () => {
  const value: Record<string, unknown> = {
    text: hex.slice(0, 12),
    bytes: secret.subarray(0, 7),
    zeroes: new Uint8Array(64),
  }
  value["self"] = value
  Object.defineProperty(value, "bad", {
    get: () => {
      throw new Error("no")
    },
  })
  expect(findSecret(value, [secret])).toBeUndefined()
})
