export { type CryptOptions, cryptTarget, cryptWord } from "@blockstrata/crypt"
export {
  type BadRange,
  type BaseExtent,
  type BlockDevice,
  BlockError,
  type BlockErrorCode,
  type BlockErrorPlace,
  type BlockStatus,
  type ByteAccess,
  type ByteRange,
  baseExtents,
  bytes,
  type CheckReport,
  checkDevice,
  copyDevice,
  type DeviceEvent,
  type DeviceImplementation,
  decodeHex,
  defineDevice,
  type EventListener,
  type Extent,
  encodeHex,
  type Features,
  hostRuntime,
  type Layer,
  type LongVerbOptions,
  type Lower,
  type MemoryDeviceOptions,
  memoryDevice,
  type Operation,
  RangeLock,
  type Runtime,
  readAround,
  settleAll,
  share,
  type TableContext,
  type TableWord,
  toSafeInteger,
  type WriteOptions,
  type WriteZeroesOptions,
} from "@blockstrata/device"
export {
  type FormatIntegrityOptions,
  formatIntegrity,
  type IntegrityReport,
  type IntegritySuperblock,
  inspectIntegrity,
  integrityWord,
  type OpenIntegrityOptions,
  openIntegrity,
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
  type CheckVerityOptions,
  checkVerity,
  decodeVeritySuperblock,
  encodeVeritySuperblock,
  type FormatVerityOptions,
  formatVerity,
  hashDeviceBytes,
  hashTree,
  type OpenVerityOptions,
  openVerity,
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
export type { ImageFormat } from "./image-signature.ts"
export type { ImageSource, IntegrityChoice, VerityChoice } from "./image-table.ts"
export { type ImageReport, inspectImage } from "./inspect-image.ts"
export { type OpenVolumeOptions, openVolume, type Volume } from "./open-volume.ts"
export { drawStack } from "./stack-drawing.ts"
export { standardWords } from "./standard-words.ts"
