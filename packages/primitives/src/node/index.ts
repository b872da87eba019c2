import { defineEngine } from "../define-engine.ts"
import type { Engine } from "../engine.ts"
import { aeadCipherOf } from "../unit-aead.ts"
import { unitHashOf } from "../unit-hash.ts"
import { nodeAead } from "./aead.ts"
import { nodeAes } from "./aes.ts"
import { nodeHash, nodeHmac } from "./hash.ts"

/** The engine for Node: `node:crypto`, and noble for BLAKE2b-256, which OpenSSL 3 does not have. */
export const nodeEngine: Engine = /* @__PURE__ */ defineEngine({
  name: "node",
  aes: nodeAes,
  aead: (name, key) => aeadCipherOf(nodeAead(name, key)),
  hash: (name) => unitHashOf(nodeHash(name)),
  hmac: (name, key) => unitHashOf(nodeHmac(name, key)),
})

export { nodeEngine as defaultEngine }
