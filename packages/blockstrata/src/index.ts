export { type CryptOptions, cryptTarget, cryptWord } from "@blockstrata/crypt"
export {
  type BadRange,
  type BaseExtent,
  baseExtents,
  type BlockDevice,
  BlockError,
  type BlockErrorCode,
  type BlockErrorPlace,
  type BlockStatus,
  type ByteAccess,
  type ByteRange,
  bytes,
  checkDevice,
  type CheckReport,
  copyDevice,
  decodeHex,
  defineDevice,
  type DeviceEvent,
  type DeviceImplementation,
  encodeHex,
  type EventListener,
  type Extent,
  type Features,
  hostRuntime,
  type Layer,
  type LongVerbOptions,
  type Lower,
  memoryDevice,
  type MemoryDeviceOptions,
  type Operation,
  RangeLock,
  readAround,
  type Runtime,
  settleAll,
  share,
  type TableContext,
  type TableWord,
  toSafeInteger,
  type WriteOptions,
  type WriteZeroesOptions,
} from "@blockstrata/device"
export {
  formatIntegrity,
  type FormatIntegrityOptions,
  inspectIntegrity,
  type IntegrityReport,
  type IntegritySuperblock,
  integrityWord,
  openIntegrity,
  type OpenIntegrityOptions,
  printSuperblock,
  readIntegritySuperblock,
} from "@blockstrata/integrity"
export { conciseTable, openTable, parseTable, printTable, type Table, type TableEntry } from "@blockstrata/mapper"
export { defaultEngine, type Engine } from "@blockstrata/primitives"
export {
  errorTarget,
  errorWord,
  linearTarget,
  linearWord,
  stripedTarget,
  stripedWord,
  zeroTarget,
  zeroWord,
} from "@blockstrata/targets"
export {
  checkVerity,
  type CheckVerityOptions,
  decodeVeritySuperblock,
  encodeVeritySuperblock,
  formatVerity,
  type FormatVerityOptions,
  hashTree,
  openVerity,
  type OpenVerityOptions,
  readVeritySuperblock,
  superblockParameters,
  treeStart,
  VERITY_DEFAULTS,
  VERITY_SALT_SIZE,
  type VerityParameters,
  type VerityReport,
  type VeritySuperblock,
  verityTarget,
  verityVerdict,
  verityWord,
} from "@blockstrata/verity"
export { openFile } from "#files"
export type { OpenFile, OpenFileOptions } from "./file-opener.ts"
export { type ImageReport, inspectImage } from "./inspect-image.ts"
export type { ImageFormat } from "./image-signature.ts"
export type { ImageSource, IntegrityChoice, VerityChoice } from "./image-table.ts"
export { openVolume, type OpenVolumeOptions, type Volume } from "./open-volume.ts"
export { drawStack } from "./stack-drawing.ts"
export { standardWords } from "./standard-words.ts"
