import { fc, test } from "@fast-check/vitest"
import { expect } from "vitest"
import { NewestPlaces } from "./newest-places.ts"

const change = fc.tuple(fc.constantFrom("set", "delete"), fc.constantFrom(0, 1, 63, 64, 65, 200, 2 ** 40), fc.nat(3))

test.prop([fc.array(change, { maxLength: 60 })])("agrees with a map", (changes) => {
  const places = new NewestPlaces()
  const model = new Map<number, number>()
  for (const [kind, block, place] of changes) {
    if (kind === "set") {
      places.set(block, place)
      model.set(block, place)
    } else {
      places.delete(block, place)
      if (model.get(block) === place) model.delete(block)
    }
    for (const asked of [0, 1, 2, 63, 64, 65, 128, 200, 2 ** 40]) expect(places.get(asked)).toBe(model.get(asked) ?? -1)
  }
})
