import type { Mutant } from "./mutant.ts"

/** Redundancy: what is wrong there shows only once something else fails. */
export const mirrorMutants: readonly Mutant[] = [
  {
    bug: "what no leg of a mirror can give is written again, as zeroes",
    file: "packages/targets/src/mirror-reads.ts",
    find: "for (const good of runsBetween(run, bad)) {",
    replace: "for (const good of [run]) {",
    tests: ["packages/targets/src/mirror.test.ts"],
  },
  {
    bug: "of a rejected write another leg of a mirror answers than before",
    file: "packages/targets/src/mirror-reads.ts",
    find: "this.#options.doubtful.within(run).map(",
    replace: "runsBetween(run, [run]).slice(1).map(",
    tests: ["packages/targets/src/mirror.test.ts"],
  },
  {
    bug: "a mirror reads a leg that missed a write",
    file: "packages/targets/src/mirror-legs.ts",
    find: 'leg.state = "stale"\n    const reason',
    replace: 'leg.state = "live"\n    const reason',
    tests: ["packages/targets/src/mirror.test.ts"],
  },
  {
    bug: "a mirror acknowledges what one leg missed before that is recorded",
    file: "packages/targets/src/mirror-legs.ts",
    find: "    }\n    await this.#recorded\n",
    replace: "    }\n",
    tests: ["packages/targets/src/mirror.test.ts"],
  },
  {
    bug: "the leg of a mirror that is being copied misses the writes meanwhile",
    file: "packages/targets/src/mirror-legs.ts",
    find: 'this.all.filter((leg) => leg.state !== "stale")',
    replace: "this.live",
    tests: ["packages/targets/src/mirror-resync.test.ts"],
  },
  {
    bug: "a leg of a mirror counts as current before its copy is durable",
    file: "packages/targets/src/mirror-resync.ts",
    find: "    await legs.change((device) => device.flush())\n",
    replace: "",
    tests: ["packages/targets/src/mirror-resync.test.ts"],
  },
  {
    bug: "a resync copies a piece while a write to it is under way",
    file: "packages/targets/src/mirror-resync.ts",
    find: 'lock.hold([piece], "exclusive"',
    replace: 'lock.hold([], "exclusive"',
    tests: ["packages/targets/src/mirror-resync.test.ts"],
  },
  {
    bug: "of the legs of a mirror only the first is flushed",
    file: "packages/targets/src/mirror.ts",
    find: "legs.change((leg) => leg.flush())",
    replace: "legs.change((leg) => leg.flush(), legs.live.slice(0, 1))",
    tests: ["packages/targets/src/mirror.test.ts"],
  },
  {
    bug: "writes to one block reach the legs of a mirror in two orders",
    file: "packages/targets/src/mirror.ts",
    find: 'await lock.hold([range], "exclusive", async () => {',
    replace: 'await lock.hold([range], "shared", async () => {',
    tests: ["packages/targets/src/mirror.test.ts", "test/conformance/targets.test.ts"],
  },
  {
    bug: "a mirror with nosync overwrites its other legs",
    file: "packages/targets/src/mirror-word.ts",
    find: 'line.sync === "nosync" ?',
    replace: 'line.sync !== "nosync" ?',
    tests: ["packages/targets/src/table-word.test.ts"],
  },
]
