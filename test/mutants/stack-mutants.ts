import type { Mutant } from "./mutant.ts"

/** What puts devices side by side and on top of each other. */
export const stackMutants: readonly Mutant[] = [
  {
    bug: "the block status of a range is told in the coordinates of the device below",
    file: "packages/targets/src/lower-part.ts",
    find: "offset: range.offset - start }",
    replace: "offset: range.offset }",
    tests: ["packages/targets/src/linear.test.ts"],
  },
  {
    bug: "a range may end beyond the device below",
    file: "packages/targets/src/lower-range.ts",
    find: "length > lower.size - start",
    replace: "length > lower.size",
    tests: ["packages/targets/src/linear.test.ts"],
  },
  {
    bug: "of the stripes only the first is flushed",
    file: "packages/targets/src/striped.ts",
    find: "settleAll(lowers.map((lower) => lower.flush()))",
    replace: "settleAll(lowers.slice(0, 1).map((lower) => lower.flush()))",
    tests: ["packages/targets/src/striped.test.ts"],
  },
  {
    bug: "a chunk's stripe counts a row too late",
    file: "packages/targets/src/stripe-map.ts",
    find: "stripe < lastStripe ? chunkSize",
    replace: "stripe <= lastStripe ? chunkSize",
    tests: ["packages/targets/src/stripe-map.test.ts"],
  },
  {
    bug: "of the lines of a table only the first is flushed",
    file: "packages/mapper/src/ranges-device.ts",
    find: "settleAll(ranges.map((range) => range.flush()))",
    replace: "settleAll(ranges.slice(0, 1).map((range) => range.flush()))",
    tests: ["packages/mapper/src/ranges-device.test.ts"],
  },
  {
    bug: "a request that begins where a range begins goes to the one before",
    file: "packages/mapper/src/range-piece.ts",
    find: "if ((starts[middle] ?? 0) <= offset) index = middle",
    replace: "if ((starts[middle] ?? 0) < offset) index = middle",
    tests: ["packages/mapper/src/ranges-device.test.ts"],
  },
  {
    bug: "a read-only table opens its files for writing",
    file: "packages/mapper/src/base-devices.ts",
    find: "{ readOnly: use.isReadOnly }",
    replace: "{ readOnly: false }",
    tests: ["packages/mapper/src/open-table.test.ts"],
  },
  {
    bug: "read-only is not passed down to what a line stands on",
    file: "packages/mapper/src/open-table.ts",
    find: "return isReadOnly ? readOnlyDevice(handle) : handle",
    replace: "return handle",
    tests: ["packages/mapper/src/open-table.test.ts"],
  },
]
