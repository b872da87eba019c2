import { availableParallelism } from "node:os"
import { defineEngine } from "../define-engine.ts"
import type { Engine } from "../engine.ts"
import { lazyKernels } from "../kernel/kernels.ts"
import { unitHashOf } from "../unit-hash.ts"
import { nodeAead } from "./aead.ts"
import { nodeAes } from "./aes.ts"
import { nodeCbc } from "./cbc.ts"
import { hostOneShot, nodeHash, nodeHmac } from "./hash.ts"
import { createThreadPool } from "./thread-pool.ts"

export interface NodeEngineOptions {
  /** False does in TypeScript what WebAssembly would do. True if not given, where the host has it. */
  readonly wasm?: boolean | undefined
  /**
   * Threads that work on a sector cipher's request of 512 KiB and more, the calling one included. 1 if not given, and never more than there are cores. Smaller
   * requests gain nothing; an engine with threads is closed by whoever made it.
   */
  readonly threads?: number | undefined
}

/** An engine over `node:crypto`, and noble for the hashes that its OpenSSL does not have, such as BLAKE2b-256. */
export function createNodeEngine({ wasm = true, threads = 1 }: NodeEngineOptions = {}): Engine {
  // A helper that shares the caller's core only takes turns with it.
  const helperCount = Math.min(threads, availableParallelism()) - 1
  return defineEngine({
    name: wasm ? "node" : "node without WebAssembly",
    kernels: wasm ? lazyKernels() : undefined,
    threads: helperCount > 0 ? createThreadPool(helperCount) : undefined,
    aes: nodeAes,
    cbc: nodeCbc,
    aead: nodeAead,
    hash: (name) => unitHashOf(nodeHash(name, hostOneShot)),
    hmac: (name, key) => unitHashOf(nodeHmac(name, key, hostOneShot)),
  })
}

/** The engine that the packages take in Node. It lives as long as the process. */
export const nodeEngine: Engine = /* @__PURE__ */ createNodeEngine()

export { nodeEngine as defaultEngine }
