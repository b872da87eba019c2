import { describe, expect, test } from "vitest"
import { loadChachaKernel } from "./chacha-kernel.ts"
import { loadFrameKernel } from "./frame-kernel.ts"
import { loadGcmKernel } from "./gcm-kernel.ts"
import { type Kernels, lazyKernels } from "./kernels.ts"

const LOADERS = { chacha: loadChachaKernel, frame: loadFrameKernel, gcm: loadGcmKernel }

describe.each(Object.entries(LOADERS))("the %s kernel", (_, load) => {
  test("gives the known answer, and is loaded once", () => {
    const kernels = lazyKernels()() as Kernels
    expect(load(kernels)).toBeDefined()
    expect(load(kernels)).toBe(load(kernels))
  })

  test("is not used if any of its functions does nothing", () => {
    const kernels = lazyKernels()() as Kernels
    const functions = Object.entries(load(kernels) ?? {}).filter(([, value]) => typeof value === "function")
    expect(functions.length).toBeGreaterThan(2)
    for (const [name] of functions) {
      kernels.wipe()
      const broken = {
        ...kernels,
        load: (binary: string) => ({ ...kernels.load(binary), [name]() {} }),
      }
      expect(load(broken), name).toBeUndefined()
    }
  })
})
