import { memoryDevice } from "@blockstrata/device"
import { expect, it } from "vitest"
import { closedVector } from "../../../test/closed-vector.ts"
import { listVectors, loadSharedVectors, loadVector, type Vector } from "../../../test/vector.ts"
import { checkIntegrity } from "./check-integrity.ts"

const shared = loadSharedVectors()
const vectors: readonly Vector[] = (shared.length > 0 ? shared : listVectors().map(loadVector)).filter(
  ({ name, stack }) => name.startsWith("integrity-") && stack.length === 1 && !name.startsWith("integrity-inline"),
)

/** Volumes that have no damage, whatever else is to be done with them; only `discard` has what its line allows. */
it.each(vectors.map((vector) => [vector.name, vector] as const))(
  "nothing is wrong with what Linux wrote: %s",
  async (name, vector) => {
    const [data, metadata] = vector.stack[0]!.operands.map((operand) =>
      vector.image("image" in operand ? operand.image : ""),
    )
    const volume = closedVector(vector, data!, true)
    const apart = metadata === undefined ? {} : { metadata: memoryDevice({ bytes: metadata, readOnly: true }) }
    const report = await checkIntegrity({ ...volume, ...apart, allowDiscards: name === "integrity-discard" })
    expect(report.findings.filter(({ severity }) => severity === "damage")).toEqual([])
    expect(report.checkedBytes).toBe(vector.manifest.expect.provided_bytes)
    if (!/bitmap|recalculate/.test(name)) expect(report.findings.map(({ kind }) => kind)).toEqual([])
  },
)
