import { assert, assertSame } from "../assertion.ts"
import type { CaseGroup } from "./conformance-case.ts"
import type { Subject } from "./subject.ts"

const SECTOR_BYTES = 512
const BLOCK_BYTES_MAX = 1024 * 1024
const BLOCK_COUNT_MIN = 8

export const geometry: CaseGroup = {
  name: "geometry",
  cases: [
    { name: "the block size is a power of two from 512 bytes to 1 MiB", run: blockSize },
    { name: "the size is a multiple of the block size, and enough for this suite", run: size },
    { name: "the tag size is a whole number of bytes", run: tagSize },
    { name: "the features are complete, and those of an opening as it was asked for", run: features },
    { name: "every method of the contract is there", run: methods },
    { name: "geometry and features stay as they are", run: stable },
  ],
}

async function blockSize({ device }: Subject): Promise<void> {
  const bytes = device.blockSize
  assert(
    Number.isSafeInteger(bytes) && Number.isInteger(Math.log2(bytes)),
    `block size: expected a power of two, got ${bytes}`,
  )
  assert(bytes >= SECTOR_BYTES && bytes <= BLOCK_BYTES_MAX, `block size: expected 512 ... 1 MiB, got ${bytes}`)
}

async function size({ device }: Subject): Promise<void> {
  assert(Number.isSafeInteger(device.size), `size: expected a safe integer, got ${device.size}`)
  assertSame(device.size % device.blockSize, 0, "size modulo block size")
  const blockCount = device.size / device.blockSize
  assert(blockCount >= BLOCK_COUNT_MIN, `size: create must give at least ${BLOCK_COUNT_MIN} blocks, got ${blockCount}`)
}

async function tagSize({ device }: Subject): Promise<void> {
  assert(Number.isSafeInteger(device.tagSize) && device.tagSize >= 0, `tag size: expected >= 0, got ${device.tagSize}`)
}

async function features({ device, options }: Subject): Promise<void> {
  const { write, discard, writeZeroes, fua, atomicSize, optimalSize } = device.features
  for (const [name, value] of Object.entries({ write, discard, writeZeroes, fua })) {
    assertSame(typeof value, "boolean", `features.${name}: type`)
  }
  assertSame(write, !options.readOnly, "features.write")
  assert(write || !(discard || writeZeroes || fua), "features: a read-only device states no way to change it")
  assert(!discard || device.tagSize === 0, "features.discard: absent on a device with tags")
  assert(Number.isSafeInteger(atomicSize) && atomicSize >= 0, `features.atomicSize: expected >= 0, got ${atomicSize}`)
  assert(Number.isSafeInteger(optimalSize) && optimalSize > 0, `features.optimalSize: expected > 0, got ${optimalSize}`)
}

async function methods({ device }: Subject): Promise<void> {
  const { read, write, flush, discard, writeZeroes, blockStatus, close } = device
  for (const [name, method] of Object.entries({ read, write, flush, discard, writeZeroes, blockStatus, close })) {
    assertSame(typeof method, "function", `${name}: type`)
  }
  assertSame(typeof device[Symbol.asyncDispose], "function", "Symbol.asyncDispose: type")
}

async function stable({ device }: Subject): Promise<void> {
  const describe = () => JSON.stringify([device.size, device.blockSize, device.tagSize, device.features])
  const before = describe()
  await device.read(0, new Uint8Array(0))
  await device.flush()
  assertSame(describe(), before, "before and after requests")
  await device.close()
  assertSame(describe(), before, "before and after close")
}
