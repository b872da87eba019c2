import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { compileKernel, kernelNames, pathOf } from "../scripts/assembly.mjs"

describe("the embedded WebAssembly is what its source compiles to", () => {
  it.each(kernelNames)("%s", async (name) => {
    const embedded = /"([A-Za-z0-9+/=]+)"/.exec(readFileSync(pathOf(name), "utf8"))?.[1]
    expect(await compileKernel(name)).toContain(`"${embedded}"`)
  })

  it("has a kernel to compile", () => {
    expect(kernelNames).toContain("xts")
  })
})
