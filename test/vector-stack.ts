import {
  type BlockDevice,
  conciseTable,
  type Engine,
  integrityWordWith,
  memoryDevice,
  openVolume,
  type TableWord,
  type Volume,
} from "blockstrata"
import type { Vector } from "./vector.ts"

export interface VectorStackOptions {
  readonly engine?: Engine
  /** True if not given. */
  readonly readOnly?: boolean
  /** Media instead of fresh copies of the vector's images: what is written stands in them. */
  readonly images?: ReadonlyMap<string, Uint8Array>
  /** Targets with a policy of their own. */
  readonly words?: readonly TableWord[]
  /** Changes a line before it is read. */
  readonly edit?: (line: string) => string
}

/** Fresh copies of all images of a vector. */
export function imagesOf(vector: Vector): Map<string, Uint8Array> {
  return new Map(Object.keys(vector.manifest.images).map((name) => [name, vector.image(name)]))
}

/** The whole stack of a vector as one text in dmsetup's concise form. */
export function tableOfVector(vector: Vector, edit: (line: string) => string = (line) => line): string {
  const toOperand = (_word: string, image: string) => operandOf(vector, image)
  return conciseTable(
    vector.stack.map(({ name, line }) => ({
      name,
      line: edit(line).replaceAll(/(?<= |meta_device:)img:(\S+)/g, toOperand),
    })),
  )
}

/** The operand of an image: a file, with the sizes of its blocks and tags where the kernel saw it as a device with inline metadata. */
function operandOf({ manifest }: Vector, image: string): string {
  const layout = manifest.images[image]?.layout ?? ""
  const [, blockSize, tagSize] = / blocks of (\d+) bytes, then (\d+) bytes of metadata per block/.exec(layout) ?? []
  return tagSize === undefined ? image : `${image},blocksize=${blockSize},tagsize=${tagSize}`
}

/** Opens the stack of a vector over its images. */
export async function openVectorStack(
  vector: Vector,
  { engine, readOnly = true, images, words, edit }: VectorStackOptions = {},
): Promise<Volume> {
  return await openVolume({
    table: tableOfVector(vector, edit),
    readOnly,
    engine,
    words,
    openFile: async (name, { blockSize, tagSize }) => {
      const bytes = images?.get(name) ?? vector.image(name)
      if (tagSize === undefined) return memoryDevice({ bytes, readOnly })
      const dataSize = bytes.length - (bytes.length / ((blockSize ?? 512) + tagSize)) * tagSize
      return memoryDevice({
        bytes: bytes.subarray(0, dataSize),
        tagBytes: bytes.subarray(dataSize),
        blockSize,
        tagSize,
        readOnly,
      })
    },
  })
}

/** For volumes with a keyed hash that were in bitmap mode. */
export const bitmapWords: readonly TableWord[] = [integrityWordWith({ allowUnauthenticatedRecovery: true })]

/** All bytes of a device. */
export async function readAll(device: BlockDevice): Promise<Uint8Array> {
  const content = new Uint8Array(device.size)
  await device.read(0, content)
  return content
}
