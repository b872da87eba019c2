import { bitmapMutants } from "./bitmap-mutants.ts"
import { cryptMutants } from "./crypt-mutants.ts"
import { deviceMutants } from "./device-mutants.ts"
import { doctorMutants } from "./doctor-mutants.ts"
import { formatMutants } from "./format-mutants.ts"
import { integrityMutants } from "./integrity-mutants.ts"
import { journalMutants } from "./journal-mutants.ts"
import { mirrorMutants } from "./mirror-mutants.ts"
import type { Mutant } from "./mutant.ts"
import { stackMutants } from "./stack-mutants.ts"
import { verityMutants } from "./verity-mutants.ts"

/** Every mutant must die. */
export const mutants: readonly Mutant[] = [
  ...deviceMutants,
  ...cryptMutants,
  ...integrityMutants,
  ...formatMutants,
  ...bitmapMutants,
  ...journalMutants,
  ...doctorMutants,
  ...verityMutants,
  ...mirrorMutants,
  ...stackMutants,
]

/** Changes of nothing: their tests must pass, or the harness would call anything dead. */
export const canaries: readonly Mutant[] = [
  {
    bug: "none: a comparison the other way round",
    file: "packages/device/src/request-gate.ts",
    find: "if (inFlightCount > 0) {",
    replace: "if (0 < inFlightCount) {",
    tests: ["packages/device/src/define-device.test.ts"],
  },
  {
    bug: "none: a sum the other way round",
    file: "packages/crypt/src/iv.ts",
    find: "(sector % TWO_TO_32) + Number(ivOffsetSectors % BIG_TWO_TO_32)",
    replace: "Number(ivOffsetSectors % BIG_TWO_TO_32) + (sector % TWO_TO_32)",
    tests: ["packages/crypt/src/iv.test.ts"],
  },
]
