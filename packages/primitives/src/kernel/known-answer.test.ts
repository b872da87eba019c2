import { describe, expect, test } from "vitest"
import { loadAdiantumKernel } from "./adiantum-kernel.ts"
import { loadCbcKernel } from "./cbc-kernel.ts"
import { loadCtrKernel } from "./ctr-kernel.ts"
import { type Kernels, lazyKernels } from "./kernels.ts"
import { loadLrwKernel } from "./lrw-kernel.ts"
import { loadXorKernel } from "./xor-kernel.ts"
import { loadXtsKernel } from "./xts-kernel.ts"

const kernels = lazyKernels()() as Kernels
const LOADERS = {
  adiantum: loadAdiantumKernel,
  cbc: loadCbcKernel,
  ctr: loadCtrKernel,
  lrw: loadLrwKernel,
  xor: loadXorKernel,
  xts: loadXtsKernel,
}

describe.each(Object.entries(LOADERS))("the %s kernel", (_, load) => {
  test("gives the known answer, and is loaded once", () => {
    expect(load(kernels)).toBeDefined()
    expect(load(kernels)).toBe(load(kernels))
  })

  test("is not used if it does not", () => {
    const idle = { open() {}, take() {}, put() {}, step() {}, count() {}, mask() {}, xor() {}, add() {}, subtract() {} }
    const broken = { ...kernels, load: () => idle as unknown as WebAssembly.Exports }
    expect(load(broken)).toBeUndefined()
  })
})
