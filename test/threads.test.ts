import { randomBytes } from "node:crypto"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
// Threads start from a file that Node can run: the built one.
import { createNodeEngine, nodeEngine } from "../packages/primitives/dist/node/index.js"
import { runProcess } from "./process.ts"

const KIB = 1024
const engine = createNodeEngine({ threads: 3 })
afterAll(() => engine.close())

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe("a sector cipher with threads", () => {
  it.each(["aes-xts", "aes-cbc", "aes-ctr", "adiantum-xchacha12"] as const)(
    "%s gives the bytes of one thread, whatever the size",
    async (name) => {
      const key = randomBytes(name === "aes-xts" ? 64 : 32)
      const shared = engine.sectorCipher(name, key)
      const alone = nodeEngine.sectorCipher(name, key)
      for (const [sectorSize, length] of [
        [4096, 512 * KIB],
        [512, 512 * KIB + 512],
        [1024, 3 * KIB * KIB + 5 * KIB],
        [4096, 9 * KIB * KIB + 4 * KIB],
        [256, 768 * KIB],
      ] as const) {
        const source = new Uint8Array(randomBytes(length))
        const ivs = new Uint8Array(randomBytes((length / sectorSize) * alone.ivSize))
        const expected = new Uint8Array(length)
        alone.encryptSectors(source, expected, sectorSize, ivs)
        for (let round = 0; round < 8; round++) {
          const target = new Uint8Array(length)
          shared.encryptSectors(source, target, sectorSize, ivs)
          expect(Buffer.compare(target, expected)).toBe(0)
          shared.decryptSectors(target, target, sectorSize, ivs)
          expect(Buffer.compare(target, source)).toBe(0)
          await turn()
        }
      }
      shared.destroy()
      expect(() =>
        shared.encryptSectors(new Uint8Array(512), new Uint8Array(512), 512, new Uint8Array(alone.ivSize)),
      ).toThrow(TypeError)
    },
  )

  it("has room for the IVs of the most sectors that are shared", async () => {
    // An engine of its own: the first requests of each are a trial of both ways.
    const fresh = createNodeEngine({ threads: 2 })
    const [length, sectorSize] = [4 * KIB * KIB, 512]
    const [key, source] = [randomBytes(32), new Uint8Array(randomBytes(length))]
    const ivs = new Uint8Array(randomBytes((length / sectorSize) * 32))
    const expected = new Uint8Array(length)
    nodeEngine.sectorCipher("adiantum-xchacha12", key).encryptSectors(source, expected, sectorSize, ivs)
    const cipher = fresh.sectorCipher("adiantum-xchacha12", key)
    for (let round = 0; round < 8; round++) {
      const target = new Uint8Array(length)
      cipher.encryptSectors(source, target, sectorSize, ivs)
      expect(Buffer.compare(target, expected)).toBe(0)
      await turn()
    }
    fresh.close()
  })

  it("works on after its threads ended, and keeps no process alive", async () => {
    const script = `
      import { createNodeEngine } from ${JSON.stringify(new URL("../packages/primitives/dist/node/index.js", import.meta.url).href)}
      const engine = createNodeEngine({ threads: 2 })
      const cipher = engine.sectorCipher("aes-xts", new Uint8Array(64).map((_, index) => index))
      const [data, ivs] = [new Uint8Array(1 << 20), new Uint8Array(1 << 12)]
      cipher.encryptSectors(data, data, 4096, ivs)
      if (process.argv[2] === "close") engine.close()
      cipher.decryptSectors(data, data, 4096, ivs)
      process.stdout.write(String(data.every((byte) => byte === 0)))`
    for (const how of ["close", "leave"]) {
      const args = ["--input-type=module", "-e", script, "--", how]
      const { status, stdout } = await runProcess(process.execPath, args, fileURLToPath(new URL(".", import.meta.url)))
      expect([status, stdout]).toEqual([0, "true"])
    }
  })
})
