import { randomInt } from "node:crypto"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  interface ProvidedContext {
    seed: number
  }
}

/** Chooses the seed of a whole run, once, and prints it: `SEED=n` replays a run. */
export default function chooseSeed(project: TestProject): void {
  const given = process.env["SEED"]
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given)
  if (!Number.isSafeInteger(seed)) throw new RangeError(`SEED: expected an integer, got ${given}`)
  project.provide("seed", seed)
  console.log(`SEED=${seed}${process.env["SLOW"] === "1" ? " SLOW=1" : ""}`)
}
