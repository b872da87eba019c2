import { defineEngine } from "../define-engine.ts"
import type { Engine } from "../engine.ts"
import { lazyKernels } from "../kernel/kernels.ts"
import { unitHashOf } from "../unit-hash.ts"
import { portableAead } from "./aead.ts"
import { portableAes } from "./aes.ts"
import { portableCbc } from "./cbc.ts"
import { portableHash, portableHmac } from "./hash.ts"

export interface PortableEngineOptions {
  /** False does in TypeScript what WebAssembly would do. True if not given, where the host has it. */
  readonly wasm?: boolean | undefined
}

/** An engine for every host: noble, plain JavaScript without a single import from the host. */
export function createPortableEngine({ wasm = true }: PortableEngineOptions = {}): Engine {
  return defineEngine({
    name: wasm ? "portable" : "portable without WebAssembly",
    kernels: wasm ? lazyKernels() : undefined,
    aes: portableAes,
    cbc: portableCbc,
    aead: portableAead,
    hash: (name) => unitHashOf(portableHash(name)),
    hmac: (name, key) => unitHashOf(portableHmac(name, key)),
  })
}

/** The engine that the packages take outside Node. It lives as long as the host. */
export const portableEngine: Engine = /* @__PURE__ */ createPortableEngine()

export { portableEngine as defaultEngine }
