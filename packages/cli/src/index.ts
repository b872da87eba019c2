export type { Host } from "./host.ts"
export { runStrata } from "./run.ts"
