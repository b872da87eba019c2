import { defineEngine } from "../define-engine.ts"
import type { Engine } from "../engine.ts"
import { lazyKernels } from "../kernel/kernels.ts"
import { aeadCipherOf } from "../unit-aead.ts"
import { unitHashOf } from "../unit-hash.ts"
import { nodeAead } from "./aead.ts"
import { nodeAes } from "./aes.ts"
import { nodeHash, nodeHmac } from "./hash.ts"

export interface NodeEngineOptions {
  /** False does in TypeScript what WebAssembly would do. True if not given, where the host has it. */
  readonly wasm?: boolean | undefined
}

/** An engine over `node:crypto`, and noble for BLAKE2b-256, which OpenSSL 3 does not have. */
export function createNodeEngine({ wasm = true }: NodeEngineOptions = {}): Engine {
  return defineEngine({
    name: wasm ? "node" : "node without WebAssembly",
    kernels: wasm ? lazyKernels() : undefined,
    aes: nodeAes,
    aead: (name, key) => aeadCipherOf(nodeAead(name, key)),
    hash: (name) => unitHashOf(nodeHash(name)),
    hmac: (name, key) => unitHashOf(nodeHmac(name, key)),
  })
}

/** The engine that the packages take in Node. It lives as long as the process. */
export const nodeEngine: Engine = /* @__PURE__ */ createNodeEngine()

export { nodeEngine as defaultEngine }
