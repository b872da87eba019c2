import { createCipheriv, createDecipheriv } from "node:crypto"
import { equalBytes } from "@noble/ciphers/utils.js"
import fc from "fast-check"
import { expect, test } from "vitest"
import { runCount } from "../../../../test/run-count.ts"
import { bytesOf } from "../../test/placement.ts"
import { ecbCodebook, hasWideXts, isCodebook, openCodebook, xtsCodebook } from "./codebook.ts"

test("XTS with a tweak of zero is a codebook, update after update", () => {
  expect(isCodebook(xtsCodebook)).toBe(true)
  expect(isCodebook(openCodebook)).toBe(true)
})

test("what is none is found out", () => {
  const chained = (create: typeof createCipheriv | typeof createDecipheriv, key: Uint8Array) =>
    create(`aes-${key.length * 8}-cbc`, key, new Uint8Array(16)).setAutoPadding(false)
  const tweaked = (create: typeof createCipheriv | typeof createDecipheriv, key: Uint8Array) =>
    create(`aes-${key.length * 8}-xts`, new Uint8Array([...key, ...key.toReversed()]), new Uint8Array(16))
  const refused = () => {
    throw new Error("no such cipher")
  }
  for (const factory of [chained, tweaked, refused]) expect(isCodebook(factory)).toBe(false)
})

test("the version that has wide XTS is 3.5", () => {
  const verdicts = ["3.0.19", "3.4.9", "3.5.0", "3.5.8", "3.10.1", "4.0.0", "1.1.1w", "0.0.0", "1.1.0+boring", ""]
  expect(verdicts.filter(hasWideXts)).toEqual(["3.5.0", "3.5.8", "3.10.1", "4.0.0"])
})

test("any key, any blocks: the same as ECB", () => {
  const keys = fc.oneof(fc.constantFrom(16, 32).chain(bytesOf), fc.constant(new Uint8Array(32)))
  const blocks = fc.integer({ min: 1, max: 70 }).chain((count) => bytesOf(count * 16))
  fc.assert(
    fc.property(keys, fc.array(blocks, { minLength: 1, maxLength: 3 }), (key, updates) => {
      for (const create of [createCipheriv, createDecipheriv]) {
        const [xts, ecb] = [xtsCodebook(create, key), ecbCodebook(create, key)]
        for (const data of updates) expect(equalBytes(xts.update(data), ecb.update(data))).toBe(true)
      }
    }),
    { numRuns: runCount(50) },
  )
})
