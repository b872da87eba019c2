export { linuxAlgorithmName } from "./algorithm-name.ts"
export type { BlockCounts } from "./block-findings.ts"
export { type CheckIntegrityOptions, checkIntegrity, type IntegrityCheckReport } from "./check-integrity.ts"
export type { ClosedVolumeOptions } from "./closed-volume.ts"
export type { IntegrityFinding, IntegrityFindingKind, IntegrityPlace } from "./finding.ts"
export { type FormatIntegrityOptions, formatIntegrity } from "./format-integrity.ts"
export { type FreshSuperblockOptions, freshSuperblock } from "./fresh-superblock.ts"
export {
  type InspectIntegrityOptions,
  type IntegrityReport,
  inspectIntegrity,
  printSuperblock,
  readIntegritySuperblock,
} from "./inspect-integrity.ts"
export { type IntegrityMode, type IntegrityTargetOptions, integrityTarget } from "./integrity-target.ts"
export { type IntegrityContext, type IntegrityLinePolicy, integrityWord, integrityWordWith } from "./integrity-word.ts"
export { type InternalHash, internalHashSizes } from "./internal-hash.ts"
export type { JournalState } from "./journal-state.ts"
export { type IntegrityLayout, type JournalLayout, layoutOf } from "./layout.ts"
export type { JournalContents, JournalEntryReport, JournalSectionReport } from "./metadata-contents.ts"
export {
  type JournalAlgorithm,
  type OpenIntegrityOptions,
  openIntegrity,
  recalculateIntegrity,
} from "./open-integrity.ts"
export { completeIntegrityLine } from "./print-line.ts"
export {
  type IntegrityRepairReport,
  type RepairedRun,
  type RepairIntegrityOptions,
  repairIntegrity,
} from "./repair-integrity.ts"
export {
  type JournalReplayReport,
  type ReplayedBlock,
  type ReplayJournalOptions,
  replayJournal,
} from "./replay-journal.ts"
export {
  decodeSuperblock,
  encodeSuperblock,
  hasSuperblockSignature,
  type IntegritySuperblock,
} from "./superblock.ts"
export type { SuperblockExpectation } from "./superblock-findings.ts"
export type { IntegrityLine, LineHash } from "./table-line.ts"
