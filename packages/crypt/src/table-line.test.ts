import { type BlockDevice, BlockError, hostRuntime, memoryDevice } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { nodeEngine } from "@blockstrata/primitives/node"
import fc from "fast-check"
import { expect, test } from "vitest"
import {
  ACCEPTED_LINES,
  type CryptLineCase,
  hexKey,
  INVALID_LINES,
  KEYRING,
  NEWER_LINES,
  REFUSED_LINES,
  UNSUPPORTED_LINES,
} from "../../../test/kernel/crypt-lines.ts"
import { cryptWord, cryptWordWith } from "./table-line.ts"

function lowerOf(operand: string): BlockDevice {
  const [, tagSize, blockSize = "512"] = /^T(\d+)(?:\/(\d+))?$/.exec(operand) ?? []
  if (tagSize === undefined) return memoryDevice({ size: 8 * 1024 * 1024 })
  return memoryDevice({ size: 1024 * 1024, tagSize: Number(tagSize), blockSize: Number(blockSize) })
}

function resolveKey(description: string): Uint8Array | undefined {
  const key = KEYRING.find(([, name]) => name === description)
  return key && new Uint8Array(key[2]).fill(107)
}

async function open({ args, sizeSectors }: CryptLineCase): Promise<BlockDevice> {
  const size = sizeSectors * 512
  return await cryptWord.open(cryptWord.parse(args, size), {
    size,
    device: lowerOf,
    readOnly: false,
    runtime: hostRuntime,
    resolveKey,
  })
}

async function codeOf(line: CryptLineCase): Promise<string> {
  try {
    await (await open(line)).close()
    return "accepted"
  } catch (error) {
    expect(error).toBeInstanceOf(BlockError)
    expect((error as BlockError).message).not.toMatch(/[0-9a-f]{16}/i)
    return (error as BlockError).code
  }
}

test("the bytes of a line's key are wiped once the engine has them", async () => {
  const seen: Uint8Array[] = []
  const engine: Engine = {
    ...nodeEngine,
    sectorCipher(algorithm, key) {
      seen.push(key)
      return nodeEngine.sectorCipher(algorithm, key)
    },
  }
  const context = { size: 4096, device: lowerOf, readOnly: false, runtime: hostRuntime, resolveKey, engine }
  for (const key of ["6b".repeat(32), ":32:logon:p:32"]) {
    const device = await cryptWord.open(cryptWord.parse(["aes-xts-plain64", key, "0", "disk", "0"], 4096), context)
    await device.write(0, new Uint8Array(512))
    await device.close()
  }
  expect(seen.map((key) => [...key])).toEqual([0, 1].map(() => Array.from({ length: 32 }, () => 0)))
})

test.each([
  ["accepted", ACCEPTED_LINES],
  ["accepted", NEWER_LINES],
  ["INVALID", INVALID_LINES],
  ["UNSUPPORTED", UNSUPPORTED_LINES],
  ["REFUSED", REFUSED_LINES],
] as const)("%s: all lines that Linux treats so", async (code, cases) => {
  const other = []
  for (const line of cases) {
    const got = await codeOf(line)
    if (got !== code) other.push(`${line.name}: ${got}`)
  }
  expect(other).toEqual([])
  expect(cases.length).toBeGreaterThan(5)
})

test.each([
  ["aes-xts-lmk <64>", "lmk"],
  ["xchacha12,aes-adiantum-tcw <80>", "tcw"],
  ["aes:2-cbc-plain64 <33>", "33 bytes for 2 keys"],
  ["serpent-xts-plain64 <64>", "serpent"],
  ["twofish-xts-plain64 <64>", "twofish"],
  ["camellia-xts-plain64 <64>", "camellia"],
  ["cast5-cbc-plain64 <16>", "cast5"],
  ["des3_ede-cbc-plain64 <24>", "des3_ede"],
  ["xchacha12,serpent-adiantum-plain64 <32>", "serpent"],
  ["aes-cbc-essiv:wp256 <32>", "essiv:wp256"],
  ["capi:xts(aes) <64>", "without an IV"],
  ["capi:xts-aes-aesni-plain64 <64>", "xts-aes-aesni"],
  ["capi:rfc4106(gcm(aes))-random <36> 0 T24 0 1 integrity:24:aead", "rfc4106"],
  ["capi:ccm(aes)-random <32> 0 T32 0 1 integrity:32:aead", "ccm"],
  ["capi:aegis128-random <16> 0 T32 0 1 integrity:32:aead", "aegis128"],
  ["capi:authenc(hmac(md4),xts(aes))-plain64 <80> 0 T16 0 1 integrity:16:aead", "md4"],
  ["capi:authenc(cmac(aes),xts(aes))-plain64 <80> 0 T16 0 1 integrity:16:aead", "cmac"],
  ["aes-xts-plain64 <64> 0 D 0 0 extra", "extra"],
])("%s: the message names %s", (text, word) => {
  const args = text.replace(/<(\d+)>/, (_, size) => hexKey(Number(size))).split(" ")
  const full = args.length === 2 ? [...args, "0", "D", "0"] : args
  expect(() => cryptWord.parse(full, 32768)).toThrow(
    expect.objectContaining({ code: "UNSUPPORTED", message: expect.stringContaining(word) }),
  )
})

test("options are printed in the kernel's order, keys as zeros unless asked for", () => {
  const words = "iv_large_sectors sector_size:4096 no_write_workqueue no_read_workqueue submit_from_crypt_cpus"
  const args = [
    "aes-xts-plain64",
    hexKey(64),
    "08",
    "D",
    "016",
    "7",
    ...words.split(" "),
    "SAME_CPU_crypt",
    "allow_discards",
  ]
  const line = cryptWord.parse(args, 4096)
  const tail =
    "8 D 16 7 allow_discards same_cpu_crypt submit_from_crypt_cpus no_read_workqueue no_write_workqueue sector_size:4096 iv_large_sectors"
  expect(cryptWord.print(line, { showKeys: false }).join(" ")).toBe(`aes-xts-plain64 ${"0".repeat(128)} ${tail}`)
  expect(cryptWord.print(line, { showKeys: true }).join(" ")).toBe(`aes-xts-plain64 ${hexKey(64)} ${tail}`)
  expect(cryptWord.operands(line)).toEqual(["D"])
})

test("the kind of integrity is printed as it was spelled", () => {
  const args = ["capi:gcm(aes)-random", hexKey(32), "0", "T28", "0", "1", "integrity:028:AEAD"]
  expect(cryptWord.print(cryptWord.parse(args, 512), { showKeys: true }).at(-1)).toBe("integrity:28:AEAD")
})

test("what is printed is read again as the same line", () => {
  for (const { args, sizeSectors } of [...ACCEPTED_LINES, ...NEWER_LINES]) {
    const line = cryptWord.parse(args, sizeSectors * 512)
    expect(cryptWord.parse(cryptWord.print(line, { showKeys: true }), sizeSectors * 512)).toEqual(line)
  }
})

test("a block cipher of the caller's works in every mode, and in essiv", async () => {
  const serpent = { keySizes: [16, 32], create: (key: Uint8Array) => nodeEngine.blockCipher("aes", key) }
  const word = cryptWordWith({ blockCiphers: new Map([["serpent", serpent]]) })
  const context = { size: 8192, readOnly: false, runtime: hostRuntime }
  for (const [mode, keySize] of [
    ["cbc-essiv:sha256", 16],
    ["ctr-plain64be", 32],
    ["ecb", 16],
    ["lrw-benbi", 32],
    ["xts-eboiv", 64],
  ] as const) {
    const media: Uint8Array[] = []
    for (const cipher of ["aes", "serpent"]) {
      const bytes = new Uint8Array(8192)
      const line = word.parse([`${cipher}-${mode}`, hexKey(keySize), "3", "D", "0"], 8192)
      const volume = await word.open(line, { ...context, device: () => memoryDevice({ bytes }) })
      await volume.write(0, new Uint8Array(8192).fill(7))
      const back = new Uint8Array(8192)
      await volume.read(0, back)
      expect(back.every((byte) => byte === 7)).toBe(true)
      media.push(bytes)
    }
    expect(media[1]).toEqual(media[0])
  }
  const parse = (cipher: string, keySize: number) => word.parse([cipher, hexKey(keySize), "0", "D", "0"], 8192)
  expect(() => parse("serpent-xts-plain64", 48)).toThrow(expect.objectContaining({ code: "INVALID" }))
  expect(() => parse("serpent-pcbc-plain64", 32)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }))
  expect(() => parse("twofish-xts-plain64", 64)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }))
})

test("the null cipher, where it is allowed by name, keeps plaintext", async () => {
  const word = cryptWordWith({ allowNullCipher: true })
  const bytes = new Uint8Array(4096)
  for (const cipher of ["cipher_null-ecb", "capi:ecb(cipher_null)-plain64"]) {
    const line = word.parse([cipher, "-", "0", "D", "0"], 4096)
    const context = { size: 4096, device: () => memoryDevice({ bytes }), readOnly: false, runtime: hostRuntime }
    const volume = await word.open(line, context)
    await volume.write(512, new Uint8Array(512).fill(cipher.length))
    expect([...bytes.subarray(512, 1024)]).toEqual(Array(512).fill(cipher.length))
    await expect(cryptWord.open(line, context)).rejects.toMatchObject({ code: "REFUSED" })
  }
  expect(() => word.parse(["cipher_null", "-", "0", "D", "0"], 4096)).toThrow(
    expect.objectContaining({ code: "UNSUPPORTED" }),
  )
  expect(() => word.parse(["cipher_null-ecb", "00", "0", "D", "0"], 4096)).toThrow(
    expect.objectContaining({ code: "INVALID" }),
  )
})

test("words of newer kernels are kept, and a MAC key of another size splits the key", async () => {
  const cipher = "capi:authenc(hmac(sha256),xts(aes))-plain64"
  const tail = "4 high_priority integrity:32:aead sector_size:4096 integrity_key_size:16"
  const args = [cipher, hexKey(80), "0", "T32/4096", "0", ...tail.split(" ")]
  const line = cryptWord.parse(args, 8192)
  expect(cryptWord.print(line, { showKeys: true }).slice(5).join(" ")).toBe(tail)
  const seen: number[] = []
  const engine: Engine = {
    ...nodeEngine,
    authenc(options) {
      seen.push(options.cipherKey.length, options.macKey.length)
      return nodeEngine.authenc(options)
    },
  }
  await cryptWord.open(line, { size: 8192, device: lowerOf, readOnly: false, runtime: hostRuntime, engine })
  expect(seen).toEqual([64, 16])
  const gcm = ["capi:gcm(aes)-random", hexKey(32), "0", "T28", "0", "2", "integrity:28:aead", "integrity_key_size:8"]
  expect(() => cryptWord.parse(gcm, 512)).toThrow(expect.objectContaining({ code: "INVALID" }))
})

test("a keyring key opens the same volume as its bytes", async () => {
  const medium = memoryDevice({ size: 4096 })
  const context = { size: 4096, device: () => medium, readOnly: false, runtime: hostRuntime, resolveKey }
  const parse = (key: string) => cryptWord.parse(["aes-xts-plain64", key, "0", "D", "0"], 4096)
  const byName = await cryptWord.open(parse(":64:logon:p:64"), context)
  await byName.write(0, new Uint8Array(4096).fill(5))
  const byBytes = await cryptWord.open(parse("6b".repeat(64)), context)
  const buffer = new Uint8Array(4096)
  await byBytes.read(0, buffer)
  expect(buffer.every((byte) => byte === 5)).toBe(true)
})

test("hostile lines end in typed errors that carry no key, quickly", () => {
  const words = [
    ..."aes xts cbc essiv sha256 plain64 random gcm capi: authenc hmac rfc7539 ( ) , - : 1 8 512 integrity aead".split(
      " ",
    ),
    ...[
      "sector_size:",
      "integrity:28:aead",
      "18446744073709551616",
      "4294967295",
      "\u0000",
      "é",
      "cipher_null",
      hexKey(64),
    ],
  ]
  const word = fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((parts) => parts.join(""))
  const known = fc.constantFrom(...ACCEPTED_LINES.map((line) => line.args))
  const args = fc.oneof(
    fc.array(fc.oneof(word, fc.string(), fc.constantFrom(...words)), { maxLength: 10 }),
    // An accepted line with one word changed.
    fc
      .tuple(known, fc.nat(8), fc.oneof(word, fc.string()))
      .map(([line, at, other]) => line.with(at % line.length, other)),
  )
  fc.assert(
    fc.property(args, fc.integer({ min: 0, max: 2 ** 40 }), (line, sectors) => {
      try {
        const parsed = cryptWord.parse(line, sectors * 512)
        cryptWord.print(parsed, { showKeys: false })
      } catch (error) {
        expect(error).toBeInstanceOf(BlockError)
        expect((error as BlockError).message).not.toContain(hexKey(64).slice(0, 16))
        expect((error as BlockError).message.length).toBeLessThan(600)
      }
    }),
    { numRuns: 3000 },
  )
})

test("deep and long ciphers are refused without harm", () => {
  for (const cipher of [
    `capi:${"xts(".repeat(50_000)}`,
    `capi:${"(".repeat(100_000)}`,
    "a-".repeat(100_000),
    ",".repeat(100_000),
  ]) {
    expect(() => cryptWord.parse([cipher, "00", "0", "D", "0"], 512)).toThrow(
      expect.objectContaining({ code: "INVALID" }),
    )
  }
})
