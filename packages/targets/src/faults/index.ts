export { type BadBlockOptions, BadBlocks } from "./bad-blocks.ts"
export { type DelayedPath, type DelayOptions, delayTarget } from "./delay.ts"
export { type DelayLine, type DelayLinePath, delayWord } from "./delay-word.ts"
export { type Dust, type DustOptions, dustTarget } from "./dust.ts"
export { type DustLine, dustWord } from "./dust-word.ts"
export { type FaultControl, type FaultOptions, faultTarget } from "./fault.ts"
export type { Fault, FaultKind, FaultOperation, FaultSchedule } from "./fault-rule.ts"
export { type FlakeyCorruption, type FlakeyOptions, flakeyTarget } from "./flakey.ts"
export { type FlakeyLine, flakeyWord } from "./flakey-word.ts"
export { type LogWrites, type LogWritesOptions, logWritesTarget } from "./log-writes.ts"
export { type LogWritesLine, logWritesWord } from "./log-writes-word.ts"
export { sendMessage } from "./message.ts"
export {
  decodeWriteLogHeader,
  decodeWriteLogSuperblock,
  encodeWriteLogHeader,
  encodeWriteLogSuperblock,
  type WriteLogHeader,
  type WriteLogSuperblock,
} from "./write-log.ts"
export { readWriteLog, readWriteLogSuperblock, replayWriteLog, type WriteLogEntry } from "./write-log-reader.ts"
