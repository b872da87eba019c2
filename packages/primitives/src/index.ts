export { defaultEngine } from "#default-engine"
export { type SectorModeName, sectorCipherOver } from "./block-mode.ts"
export { type Chacha20Stream, chacha20Stream } from "./chacha20-stream.ts"
export type {
  AeadBatch,
  AeadCipher,
  AeadName,
  AuthencOptions,
  BlockCipher,
  BlockCipherName,
  Engine,
  HashBatch,
  HashName,
  HmacHashName,
  SectorCipher,
  SectorCipherName,
  UnitHash,
} from "./engine.ts"
