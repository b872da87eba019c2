export { type KeepReplayOptions, keepReplay } from "./keep-replay.ts"
