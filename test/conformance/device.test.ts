import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import { openFileDevice } from "@blockstrata/device/file"
import { seededRandom } from "@blockstrata/testkit"
import { afterAll } from "vitest"
import { conform, conformStack } from "./stack.ts"

const SIZE = 128 * 1024
const content = seededRandom(1).bytes(4 * 1024 * 1024)

conformStack("memory", () => [])
conformStack("memory, blocks of 4096", () => [], { medium: { blockSize: 4096 } })
conformStack("memory, with tags", () => [], { medium: { tagSize: 28 } })
conform({
  name: "memory, not wrapped",
  create: ({ minimumSizeBytes }) => memoryDevice({ size: Math.max(SIZE, minimumSizeBytes) }),
})
conform({
  name: "memory, given bytes",
  create: () => memoryDevice({ bytes: new Uint8Array(SIZE) }),
})
conform({
  name: "memory, read-only",
  readOnly: true,
  content,
  create: ({ base }) => base(memoryDevice({ bytes: content.slice(0, SIZE), readOnly: true })),
})

const folder = mkdtempSync(join(tmpdir(), "conformance-"))
let fileCount = 0
const paths = new WeakMap<BlockDevice, string>()
afterAll(() => rmSync(folder, { recursive: true }))

for (const io of ["sync", "threads"] as const) {
  for (const tagSize of [0, 8]) {
    conform({
      name: `file, ${io}${tagSize > 0 ? ", with tags" : ""}`,
      async create({ minimumSizeBytes }) {
        const path = join(folder, `${fileCount++}.img`)
        const size = Math.max(SIZE, minimumSizeBytes)
        const device = await openFileDevice(path, { create: true, size, io, tagSize })
        paths.set(device, path)
        return device
      },
      reopen: (closed) => openFileDevice(paths.get(closed) as string, { io, tagSize }),
    })
  }
}

conform({
  name: "file, read-only",
  readOnly: true,
  content,
  async create() {
    const path = join(folder, `${fileCount++}.img`)
    const device = await openFileDevice(path, { create: true, size: SIZE })
    await device.write(0, content.subarray(0, SIZE))
    await device.close()
    return await openFileDevice(path, { readOnly: true })
  },
})
