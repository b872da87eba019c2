import { PIECE_UNIT_COUNT } from "../unit-hash.ts"
import { type Kernels, WORK_HALF_SIZE } from "./kernels.ts"
import { oncePerEngine } from "./once.ts"
import { xxh64Binary } from "./xxh64-binary.ts"

/** XXH64 in WebAssembly, of messages that stand one after the other in `messages`. */
export interface Xxh64Kernel {
  /** Where the messages are put: 1 MiB. */
  readonly messages: Uint8Array
  /** The digests of the messages, at most `PIECE_UNIT_COUNT`; they stand until the next call. */
  digest(messageSize: number, messageCount: number): Uint8Array
}

const DIGEST_SIZE = 8
/** Two messages of this size take every path. Byte i of the two is (167 i + 13) mod 256. */
const KNOWN_MESSAGE_SIZE = 79
const KNOWN_DIGESTS: readonly bigint[] = [0x8714d70f32af1c73n, 0x3f69d747b326184bn]

/** The kernel, once it gave the known answer; `undefined` if it did not, and then the checksum is made without it. */
export const loadXxh64Kernel: (kernels: Kernels) => Xxh64Kernel | undefined = oncePerEngine((kernels) => {
  const kernel = createKernel(kernels)
  return hasKnownAnswer(kernel) ? kernel : undefined
})

function createKernel({ bytes, work, load }: Kernels): Xxh64Kernel {
  const { digest } = load(xxh64Binary) as unknown as {
    digest(source: number, size: number, count: number, target: number): void
  }
  const target = work + WORK_HALF_SIZE
  const digests = bytes.subarray(target, target + PIECE_UNIT_COUNT * DIGEST_SIZE)
  return {
    messages: bytes.subarray(work, work + WORK_HALF_SIZE),
    digest(messageSize, messageCount) {
      digest(work, messageSize, messageCount, target)
      return digests.subarray(0, messageCount * DIGEST_SIZE)
    },
  }
}

function hasKnownAnswer(kernel: Xxh64Kernel): boolean {
  const count = KNOWN_DIGESTS.length
  for (let index = 0; index < count * KNOWN_MESSAGE_SIZE; index++) kernel.messages[index] = 167 * index + 13
  const digests = kernel.digest(KNOWN_MESSAGE_SIZE, count)
  const view = new DataView(digests.buffer, digests.byteOffset, digests.length)
  return KNOWN_DIGESTS.every((digest, index) => view.getBigUint64(index * DIGEST_SIZE, true) === digest)
}
