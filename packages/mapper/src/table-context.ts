import type { TableContext } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"

/** What `openTable` gives to each word, beyond a `TableContext`. */
export interface MapperContext extends TableContext {
  /** The engine for ciphers and hashes; the word's default if absent. */
  readonly engine?: Engine | undefined
  /** The bytes of a key that the line names as `:SIZE:TYPE:DESCRIPTION`; undefined if there is no such key. */
  readonly resolveKey?: ((description: string) => Uint8Array | undefined) | undefined
}
