export { type Attack, stageAttack, waysOf } from "./attacks/attack.ts"
export {
  ATTACKS,
  type AttackCell,
  type AttackMatrix,
  type AttackMatrixOptions,
  type AttackRun,
  attackFindings,
  attackMatrix,
  type ExpectedMatrix,
} from "./attacks/attack-matrix.ts"
export type {
  AttackedHeader,
  AttackStack,
  AttackWish,
  HeaderField,
  Party,
  Tampering,
} from "./attacks/attack-stack.ts"
export type { AttackedVolume, Place, Scene, VolumeState } from "./attacks/attacked-volume.ts"
export { judgeReading, type Outcome, type Reading } from "./attacks/outcome.ts"
export { createScene } from "./attacks/scene.ts"
export type { ConformanceOptions, DeviceWish } from "./conformance/conformance-options.ts"
export { testBlockDevice } from "./conformance/conformance-suite.ts"
export type {
  CrashInvariant,
  CrashMoment,
  CrashProgress,
  CrashStep,
  CrashWorkload,
  SeededWish,
} from "./crash/crash-moment.ts"
export { type CrashLimits, type CrashOptions, type CrashReport, printCrashReport } from "./crash/crash-options.ts"
export type { CrashCounts, CreateSeededStack } from "./crash/crash-search.ts"
export { CrashViolation } from "./crash/crash-violation.ts"
export { exploreCrashes, replayCrash } from "./crash/explore-crashes.ts"
export { exploreLog, type LogEntry, type LogOptions, replayLog } from "./crash/explore-log.ts"
export { type ChangedPart, changedParts } from "./leakage/changed-parts.ts"
export type { Game, LeakageVerdict } from "./leakage/game.ts"
export {
  type LeakageMeasure,
  type LeakageOptions,
  type LeakageReport,
  measureLeakage,
  type ObserverReport,
} from "./leakage/measure-leakage.ts"
export {
  type Observation,
  type ObservedRequest,
  type ObservedWish,
  type ObserveOptions,
  observe,
  type Workload,
  type WorkloadSession,
} from "./leakage/observation.ts"
export { printLeakage } from "./leakage/print-leakage.ts"
export { type CrashImage, crashImages } from "./media/crash-image.ts"
export { createMedia, type Media, type MediaOptions } from "./media/media.ts"
export type { Medium } from "./media/medium.ts"
export type { MediumContent, MediumShape } from "./media/medium-content.ts"
export type { MediumEvent } from "./media/medium-event.ts"
export type { BlockRun, CrashExpectation } from "./model/block-model.ts"
export { type CaseResult, type RecordingRunner, type Runner, recordingRunner } from "./runner.ts"
export { findSecret } from "./secret-search.ts"
export { type SeededRandom, seededRandom } from "./seeded-random.ts"
export { type SeededRuntime, seededRuntime } from "./seeded-runtime.ts"
export { simulate, simulateSeeds } from "./simulation/simulate.ts"
export {
  printSimulationReport,
  SimulationFailure,
  type SimulationOptions,
  type SimulationReport,
  type SimulationsReport,
} from "./simulation/simulation-options.ts"
export { type Operation, printOperation, type Request } from "./stack/operation.ts"
export { RandomStackFailure, type RandomStackOptions, testStacks } from "./stack/random-stacks.ts"
export { StackFailure, type StackScript } from "./stack/stack-failure.ts"
export {
  buildPlan,
  type LayerContext,
  type LayerKind,
  type LayerShape,
  printPlan,
  type StackPlan,
  stackPlans,
} from "./stack/stack-plan.ts"
export type { CreateStack } from "./stack/stack-session.ts"
export { replayStack, type StackOptions, testStack } from "./stack/stack-suite.ts"
