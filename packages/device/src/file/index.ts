export type { IoMode } from "./io-mode.ts"
export { type OpenFileDeviceOptions, openFileDevice } from "./open-file-device.ts"
