import { defineEngine } from "../define-engine.ts"
import type { Engine } from "../engine.ts"
import { aeadCipherOf } from "../unit-aead.ts"
import { unitHashOf } from "../unit-hash.ts"
import { portableAead } from "./aead.ts"
import { portableAes } from "./aes.ts"
import { portableHash, portableHmac } from "./hash.ts"

/** The engine for every host: noble, plain JavaScript without a single import from the host. */
export const portableEngine: Engine = /* @__PURE__ */ defineEngine({
  name: "portable",
  aes: portableAes,
  aead: (name, key) => aeadCipherOf(portableAead(name, key)),
  hash: (name) => unitHashOf(portableHash(name)),
  hmac: (name, key) => unitHashOf(portableHmac(name, key)),
})

export { portableEngine as defaultEngine }
