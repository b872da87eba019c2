export { type BaseExtent, baseExtents } from "./base-extents.ts"
export type {
  BlockDevice,
  BlockStatus,
  DeviceEvent,
  EventListener,
  Extent,
  Features,
  Layer,
  LongVerbOptions,
  Lower,
  WriteOptions,
  WriteZeroesOptions,
} from "./block-device.ts"
export { BlockError, type BlockErrorCode, type BlockErrorPlace, type Operation } from "./block-error.ts"
export { type ByteAccess, bytes } from "./byte-access.ts"
export { type CheckReport, checkDevice } from "./check-device.ts"
export { type CopyOptions, copyDevice } from "./copy-device.ts"
export { type DeviceImplementation, defineDevice } from "./define-device.ts"
export { decodeHex, encodeHex } from "./hex.ts"
export { type MemoryDeviceOptions, memoryDevice } from "./memory-device.ts"
export { type ByteRange, RangeLock } from "./range-lock.ts"
export { type BadRange, readAround } from "./read-around.ts"
export { hostRuntime, type Runtime } from "./runtime.ts"
export { toSafeInteger } from "./safe-integer.ts"
export { settleAll } from "./settle-all.ts"
export { share } from "./share.ts"
export type { TableContext, TableWord } from "./table-word.ts"
