import { inspect } from "node:util"
import { bytesToHex as hex, utf8ToBytes } from "@noble/hashes/utils.js"
import { expect, test } from "vitest"
import { patternBytes } from "../test/placement.ts"
import { defaultEngine } from "./index.ts"
import { nodeEngine } from "./node/index.ts"
import { portableEngine } from "./portable/index.ts"

test("the default engine on Node is node:crypto", () => {
  expect(defaultEngine).toBe(nodeEngine)
  expect([nodeEngine.name, portableEngine.name]).toEqual(["node", "portable"])
})

test("what one engine sealed the other opens", () => {
  const key = patternBytes(32)
  const data = patternBytes(1024)
  const batch = { unitSize: 512, ivs: patternBytes(24), aads: patternBytes(48), tags: new Uint8Array(32) }
  const sealed = new Uint8Array(1024)
  nodeEngine.aeadCipher("aes-gcm", key).encryptUnits({ ...batch, source: data, target: sealed })
  const opened = portableEngine.aeadCipher("aes-gcm", key).decryptUnits({ ...batch, source: sealed, target: sealed })
  expect(opened).toBe(-1)
  expect(hex(sealed)).toBe(hex(data))
})

test("no key shows when an object is inspected", () => {
  const key = utf8ToBytes("a key of exactly thirty-two byte")
  for (const engine of [nodeEngine, portableEngine]) {
    for (const object of [
      engine.blockCipher("aes", key),
      engine.aeadCipher("aes-gcm", key),
      engine.hmac("sha1", key),
    ]) {
      const text = inspect(object, { depth: Infinity, showHidden: true })
      expect(text).not.toContain([...key.subarray(0, 4)].join(", "))
      expect(text).not.toContain(hex(key.subarray(0, 4)))
    }
  }
})
