export { defaultEngine } from "#default-engine"
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
