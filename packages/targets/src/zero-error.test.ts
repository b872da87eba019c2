import { testBlockDevice } from "@blockstrata/testkit"
import { describe, expect, it, test } from "vitest"
import { errorTarget } from "./error.ts"
import { zeroTarget } from "./zero.ts"

testBlockDevice({
  name: "zero",
  runner: { describe, it },
  content: "zero",
  create: ({ minimumSizeBytes }) => zeroTarget({ size: Math.max(64 * 1024, minimumSizeBytes) }),
})

test("zero drops what is written, and has no discard", async () => {
  const zero = zeroTarget({ size: 8192, blockSize: 4096 })
  await zero.write(0, new Uint8Array(4096).fill(7), { fua: true })
  const buffer = new Uint8Array(8192).fill(9)
  await zero.read(0, buffer)
  expect(buffer).toEqual(new Uint8Array(8192))
  expect(await zero.blockStatus(4096, 4096)).toEqual([{ offset: 4096, length: 4096, kind: "zero" }])
  await expect(zero.discard(0, 4096)).rejects.toMatchObject({ code: "UNSUPPORTED" })
})

test("error fails everything but flush and close", async () => {
  const error = errorTarget({ size: 8192 })
  const place = { code: "IO", device: "error", offset: 512, length: 1024 }
  const buffer = new Uint8Array(1024).fill(9)
  await expect(error.read(512, buffer)).rejects.toMatchObject(place)
  expect(buffer).toEqual(new Uint8Array(1024))
  await expect(error.write(512, buffer)).rejects.toMatchObject(place)
  await expect(error.writeZeroes(512, 1024)).rejects.toMatchObject(place)
  await expect(error.discard(512, 1024)).rejects.toMatchObject({ code: "UNSUPPORTED" })
  await error.flush()
  await error.close()
})
