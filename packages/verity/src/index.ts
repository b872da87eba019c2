export {
  type CheckVerityOptions,
  checkVerity,
  type VerityReport,
} from "./check-verity.ts"
export type { VerityFinding } from "./finding.ts"
export {
  type FormatVerityOptions,
  type FormatVerityResult,
  formatVerity,
  hashDeviceBytes,
  VERITY_DEFAULTS,
  VERITY_SALT_SIZE,
} from "./format-verity.ts"
export { type HashTree, hashTree, type TreeLevel, treeStart, type VerityParameters } from "./hash-tree.ts"
export { type OpenVerityOptions, openVerity, readVeritySuperblock, superblockParameters } from "./open-verity.ts"
export { decodeVeritySuperblock, encodeVeritySuperblock, type VeritySuperblock } from "./superblock.ts"
export { type VerityContext, type VerityLine, verityWord } from "./table-line.ts"
export { VERITY_CACHE_BYTES, type VerityTargetOptions, verityTarget } from "./verity-target.ts"
export { type VerityVerdict, verityVerdict } from "./verity-verdict.ts"
