export type { CipherAlgorithm, CipherFamily, FamilyOptions } from "./cipher-family.ts"
export {
  type CipherPolicy,
  type CipherSpec,
  type IntegrityKind,
  type IvName,
  parseCipherSpec,
} from "./cipher-spec.ts"
export type { BlockCipherFactory } from "./crypt-parts.ts"
export { type CryptIntegrity, type CryptOptions, cryptTarget } from "./crypt-target.ts"
export type { CryptKey, KeyResolver, KeyringType } from "./key.ts"
export type { CryptLineOptions, LineIntegrity } from "./line-options.ts"
export {
  type CryptLine,
  type CryptLinePolicy,
  type CryptTableContext,
  cryptWord,
  cryptWordWith,
} from "./table-line.ts"
