import { seededRandom, seededRuntime } from "@blockstrata/testkit"
import { formatVerity, openVerity } from "@blockstrata/verity"
import { conformEverywhere, conformStack, linearRange, type StackOptions, type Step, slices } from "./stack.ts"

const runtime = seededRuntime(1)
const SIZE_MAX = 4 * 1024 * 1024
const content = seededRandom(4).bytes(SIZE_MAX)
const options: StackOptions = { readOnly: true, content, authentic: true, sizeMax: SIZE_MAX, size: 128 * 1024 }

interface VerityOptions {
  readonly dataBlockSize: number
  readonly hashBlockSize: number
  readonly version: 0 | 1
  readonly saltSize: number
}

/** Data in front, the hash tree behind it, on one device. */
function verityStep({ dataBlockSize, hashBlockSize, version, saltSize }: VerityOptions): Step {
  let rootHash = new Uint8Array(32)
  const hashSize = (size: number) => Math.ceil((size * 0.1 + 64 * 1024) / 4096) * 4096
  const cut = (lower: Parameters<Step["open"]>[0], size: number) => {
    const [data, hash] = slices(lower, [size, hashSize(size)])
    return { data: data as typeof lower, hash: hash as typeof lower }
  }
  return {
    lowerSize: (size) => size + hashSize(size),
    async prepare(lower, size, above) {
      const { data, hash } = cut(lower, size)
      await above(data)
      const again = cut(lower, size)
      const salt = seededRandom(5).bytes(saltSize)
      const result = await formatVerity({
        ...{ ...again, dataBlockSize, hashBlockSize, version, salt, algorithm: "sha256", runtime },
      })
      rootHash = Uint8Array.from(result.rootHash)
      for (const device of [hash, again.data, again.hash]) await device.close()
    },
    open: (lower, size) => openVerity({ ...cut(lower, size), rootHash }),
  }
}

const plain: VerityOptions = { dataBlockSize: 4096, hashBlockSize: 4096, version: 1, saltSize: 32 }
conformEverywhere("verity", () => verityStep(plain), options)
conformEverywhere(
  "verity, blocks of 512 over hash blocks of 1024",
  () => verityStep({ dataBlockSize: 512, hashBlockSize: 1024, version: 1, saltSize: 0 }),
  options,
)
conformStack("verity, version 0", () => [linearRange(), verityStep({ ...plain, version: 0, saltSize: 255 })], options)
