import { share } from "@blockstrata/device"
import { linearTarget } from "@blockstrata/targets"
import { formatVerity, openVerity } from "@blockstrata/verity"
import fc from "fast-check"
import { seededRandom } from "../seeded-random.ts"
import type { LayerKind } from "../stack/stack-plan.ts"

interface VerityOptions {
  readonly dataBlockSize: 512 | 1024 | 4096
  readonly hashBlockSize: 512 | 1024 | 4096
  readonly version: 0 | 1
  readonly saltSize: number
}

/** Room for a tree of the smallest blocks. */
const TREE_SIZE_MIN = 64 * 1024

/** A hash tree behind its data, over random content. Everything above is read-only. */
export const verityLayer: LayerKind<VerityOptions> = {
  name: "verity",
  options: fc.record({
    dataBlockSize: fc.constantFrom<VerityOptions["dataBlockSize"][]>(512, 1024, 4096),
    hashBlockSize: fc.constantFrom<VerityOptions["hashBlockSize"][]>(512, 1024, 4096),
    version: fc.constantFrom<VerityOptions["version"][]>(0, 1),
    saltSize: fc.constantFrom(0, 32, 256),
  }),
  shape: ({ dataBlockSize }, { blockSize, tagSize, isReadOnly }) =>
    tagSize > 0 || isReadOnly === true || blockSize > dataBlockSize
      ? undefined
      : { blockSize: dataBlockSize, tagSize: 0, isReadOnly: true },
  isEager: true,
  lowerSize: (_options, size) => 2 * size + TREE_SIZE_MIN,
  async open({ dataBlockSize, hashBlockSize, version, saltSize }, lower, size, { isNew, kept, runtime }) {
    const data = linearTarget({ lower: share(lower), start: 0, size })
    const hash = linearTarget({ lower: share(lower), start: size, size: lower.size - size })
    const shape = {
      dataBlockSize,
      hashBlockSize,
      version,
      algorithm: "sha256" as const,
      salt: seededRandom(3, "salt").bytes(saltSize),
    }
    if (isNew) {
      await data.write(0, seededRandom(4, "content").bytes(size))
      const { rootHash } = await formatVerity({ data, hash, ...shape, runtime })
      await lower.flush()
      kept.set("rootHash", rootHash)
    }
    return await openVerity({ data, hash, rootHash: kept.get("rootHash") as Uint8Array })
  },
}
