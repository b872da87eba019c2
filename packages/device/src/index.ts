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
export { bytes, type ByteAccess } from "./byte-access.ts"
export { checkDevice, type CheckReport } from "./check-device.ts"
export { copyDevice } from "./copy-device.ts"
export { defineDevice, type DeviceImplementation } from "./define-device.ts"
export { decodeHex, encodeHex } from "./hex.ts"
export { memoryDevice, type MemoryDeviceOptions } from "./memory-device.ts"
export { type ByteRange, RangeLock } from "./range-lock.ts"
export { type BadRange, readAround } from "./read-around.ts"
export { hostRuntime, type Runtime } from "./runtime.ts"
export { toSafeInteger } from "./safe-integer.ts"
export { settleAll } from "./settle-all.ts"
export { share } from "./share.ts"
export type { TableContext, TableWord } from "./table-word.ts"
