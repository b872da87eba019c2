import type { Kernels } from "./kernels.ts"

/** `load`, called once for the kernels of each engine; what it gave is kept as long as they are. */
export function oncePerEngine<Kernel>(load: (kernels: Kernels) => Kernel): (kernels: Kernels) => Kernel {
  const loaded = new WeakMap<Kernels, { readonly kernel: Kernel }>()
  return (kernels) => {
    const known = loaded.get(kernels) ?? { kernel: load(kernels) }
    loaded.set(kernels, known)
    return known.kernel
  }
}
