import type { Engine } from "../src/engine.ts"
import { createNodeEngine, nodeEngine } from "../src/node/index.ts"
import { createPortableEngine, portableEngine } from "../src/portable/index.ts"

/** Every engine that the one suite runs on. */
export const engines: readonly Engine[] = [
  nodeEngine,
  portableEngine,
  createNodeEngine({ wasm: false }),
  createPortableEngine({ wasm: false }),
]
