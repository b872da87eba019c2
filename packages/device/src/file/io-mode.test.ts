import { describe, expect, it } from "vitest"
import { ioPolicy, SYNC_BYTES_MAX } from "./io-mode.ts"

describe("ioPolicy", () => {
  it("is what the caller said, whatever the size", () => {
    for (const mode of ["sync", "threads"] as const) {
      const policy = ioPolicy(mode)
      for (let count = 0; count < 10_000; count++) expect(policy("write", 1024 * 1024)).toBe(mode)
    }
  })

  it("of auto takes large requests to the threads", () => {
    expect(ioPolicy("auto")("read", SYNC_BYTES_MAX)).toBe("sync")
    expect(ioPolicy("auto")("read", SYNC_BYTES_MAX + 512)).toBe("threads")
  })

  it.each([
    ["read", 4096, 500, 1500],
    ["write", 4096, 100, 400],
    ["read", 65536, 50, 200],
  ] as const)("of auto gives the loop a turn in a long run of %ss of %i bytes", (direction, length, min, max) => {
    const policy = ioPolicy("auto")
    const turns: number[] = []
    for (let count = 0; count < 10 * max; count++) if (policy(direction, length) === "threads") turns.push(count)
    const gaps = turns.slice(1).map((turn, index) => turn - (turns[index] ?? 0))
    expect(gaps.length).toBeGreaterThan(5)
    expect(Math.min(...gaps)).toBeGreaterThan(min)
    expect(Math.max(...gaps)).toBeLessThan(max)
  })
})
