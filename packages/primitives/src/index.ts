export { defaultEngine } from "#default-engine"
export { type SectorModeName, sectorCipherOver } from "./block-mode.ts"
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
