import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { type BlockDevice, BlockError, hostRuntime, memoryDevice } from "@blockstrata/device"
import fc from "fast-check"
import { expect, test } from "vitest"
import {
  ACCEPTED_LINES,
  hexKey,
  INVALID_LINES,
  REFUSED_LINES,
  UNSUPPORTED_LINES,
} from "../../../test/kernel/crypt-lines.ts"
import { runCount } from "../../../test/run-count.ts"
import { cryptWord } from "./table-line.ts"

/** The arguments of a line, and a text that must not be told, wherever in them it got. */
interface FuzzLine {
  readonly args: readonly string[]
  readonly key: string
}

const SIZE = 64 * 512
/** Two words of 80 characters, each of which may be escaped as six, and what is said of them. */
const MESSAGE_LENGTH_MAX = 2 * 80 * 6 + 200
const SECRET_LENGTH = 16

/** Stands for the key in a place where none belongs. */
const MISPLACED = "KEY"
const split = (words: string) => fc.constantFrom(...words.split(" "))
const cipher = split(
  "aes anubis aria camellia cast5 cast6 des3_ede serpent sm4 twofish cipher_null arc4 chacha20 xchacha12",
)
const mode = split(
  "xts cbc ctr ecb lrw hctr2 xctr pcbc cfb ofb kw adiantum gcm ccm cts rfc3686 rfc4106 rfc4309 rfc4543",
)
const template = split(
  "xts cbc ctr ecb lrw hctr2 pcbc cts essiv hmac cmac gcm ccm rfc4106 rfc7539 rfc7539esp rfc3686 authenc authencesn adiantum cryptd",
)
const hash = split(
  "sha1 sha224 sha256 sha384 sha512 md5 rmd160 sm3 sha3-256 blake2b-256 wp512 streebog256 crc32c poly1305",
)
const driver = split(
  "xts-aes-aesni cbc-aes-generic __ecb-aes-aesni aes-generic sha256-ssse3 ghash-generic KEY-generic KEY",
)
const ivName = split("plain plain64 plain64be essiv benbi null eboiv elephant lmk tcw random plain32 RANDOM")
const keyCount = split("0 1 2 3 64 65 128 4294967296 4294967297 18446744073709551616 -1 0x2 2a 00002")
const strange = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 4 }),
  fc.constantFrom(
    "\0",
    "\u202e",
    "\ud800",
    "é",
    "٣",
    "Ａ",
    "ﬁ",
    "\u0301",
    "💣",
    "\n",
    "\t",
    " ",
    "%s",
    "\\",
    "__proto__",
  ),
)
const token = fc.oneof(
  strange,
  split("( ) , - : : - capi: ) ( () , 64 0 ff zz -random -plain64 :aead integrity: sector_size: aes constructor"),
)

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    { weight: 3, arbitrary: cipher },
    { weight: 2, arbitrary: hash },
    { weight: 1, arbitrary: driver },
    {
      weight: 6,
      arbitrary: fc
        .tuple(template, fc.array(tie("expression"), { minLength: 1, maxLength: 3 }))
        .map(([name, args]) => `${name}(${args.join(",")})`),
    },
  ),
}))
const optional = (prefix: string, text: fc.Arbitrary<string>) =>
  fc.option(text, { nil: undefined }).map((value) => (value === undefined ? "" : prefix + value))
const ivWord = fc
  .tuple(ivName, optional(":", fc.oneof(hash, keyCount, fc.constant(MISPLACED))))
  .map((parts) => parts.join(""))
const knownWord = fc.constantFrom(...[...ACCEPTED_LINES, ...UNSUPPORTED_LINES].map(({ args }) => args[0] ?? ""))
const cipherWord = fc.oneof(
  fc.tuple(cipher, optional(":", keyCount), optional("-", mode), optional("-", ivWord)).map((parts) => parts.join("")),
  fc.tuple(fc.constant("capi:"), expression, optional("-", ivWord)).map((parts) => parts.join("")),
  knownWord,
  fc
    .tuple(
      knownWord,
      fc.constantFrom([/$/, `:${MISPLACED}`], [/aes/, `${MISPLACED}-generic`], [/aes/, `aes:${MISPLACED}`]),
    )
    .map(([word, [place = "", put = ""]]) => word.replace(place, String(put))),
)
const KEY_SIZES = [0, 1, 15, 16, 24, 31, 32, 33, 48, 64, 80, 96, 128, 200]
const secret = fc
  .noShrink(fc.uint8Array({ minLength: 200, maxLength: 200 }))
  .map((bytes) => Buffer.from(bytes).toString("hex"))
const keyWord = fc.record({
  form: split("hex hex hex hex upper odd keyring keyring none"),
  size: fc.constantFrom(...KEY_SIZES),
  type: split("logon user encrypted trusted asymmetric keyring"),
  description: fc.oneof(split("k a:b: ::"), strange),
})
const tagSize = split("4 12 16 20 28 32 35 48 64 80 65536 4294967296")
const optionWord = fc.oneof(
  split("allow_discards same_cpu_crypt submit_from_crypt_cpus no_read_workqueue iv_large_sectors IV_LARGE_SECTORS KEY"),
  split("sector_size:512 sector_size:4096 sector_size:1024 sector_size:0 sector_size:66048 integrity_key_size:32"),
  fc.tuple(tagSize, split("aead aead aead AEAD none poly1305 KEY")).map(([size, kind]) => `integrity:${size}:${kind}`),
)
const number = split("0 0 0 8 7 08 64 18446744073709551615 18446744073709551616 -1 0x8")

/** A line of the kernel's words, right in its frame. */
const grammatical = fc
  .tuple(cipherWord, keyWord, secret, number, number, fc.array(optionWord, { maxLength: 4 }))
  .map(([spelling, { form, size, type, description }, hex, ivOffset, start, options]): FuzzLine => {
    const key = hex.slice(0, 2 * size)
    const words: Readonly<Record<string, string>> = {
      hex: key,
      upper: key.toUpperCase(),
      odd: hex.slice(0, 2 * size + 1),
      keyring: `:${size}:${type}:${description}`,
      none: "-",
    }
    const count = options.length === 0 ? [] : [String(options.length), ...options]
    const args = [spelling, words[form] ?? "", ivOffset, "D", start, ...count]
    return { args: args.map((word) => word.replaceAll(MISPLACED, hex.slice(0, 2 * size))), key: hex }
  })
/** A line of which it is known what Linux makes of it. The name of a key in the keyring is no secret. */
const known = fc
  .constantFrom(...ACCEPTED_LINES, ...INVALID_LINES, ...UNSUPPORTED_LINES, ...REFUSED_LINES)
  .map(({ args }): FuzzLine => ({ args, key: args[1]?.replace(/^:.*/, "") || hexKey(64) }))

const edit = fc.record({
  kind: split("replace replace replace insert delete key swap repeat nest case"),
  word: fc.nat(9),
  at: fc.nat(60),
  count: fc.oneof({ weight: 20, arbitrary: fc.nat(6) }, { weight: 1, arbitrary: fc.nat(3000) }),
  text: token,
})
type Edit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never

function change({ args, key }: FuzzLine, { kind, word: wordIndex, at: place, count, text }: Edit): FuzzLine {
  const index = wordIndex % Math.max(args.length, 1)
  const word = args[index] ?? ""
  const at = place % (word.length + 1)
  const [before, after] = [word.slice(0, at), word.slice(at)]
  const put = (...words: string[]) => ({ args: args.toSpliced(index, 1, ...words), key })
  if (kind === "replace") return put(before + text + after.slice(count))
  if (kind === "key") return put(before + key.slice(0, 2 * 64) + after.slice(count))
  if (kind === "repeat") return put(before + text.repeat(count) + after)
  if (kind === "nest") return put(`${before}${"xts(".repeat(count)}${after}${")".repeat(count)}`)
  if (kind === "case") return put(before.toUpperCase() + after)
  if (kind === "insert") return put(word, text)
  if (kind === "delete") return put()
  return { args: args.with(index, args.at(-1) ?? "").with(-1, word), key }
}

const fuzzed = fc
  .tuple(fc.oneof(grammatical, known), fc.oneof(fc.constant([]), fc.array(edit, { minLength: 1, maxLength: 4 })))
  .map(([line, edits]) =>
    edits.reduce((changed, each) => (changed.args.length > 0 ? change(changed, each) : changed), line),
  )

/** What may be said of a line that is not taken: a code and a short message without the key. */
function codeOfRefusal(error: unknown, key: string): string {
  if (!(error instanceof BlockError)) throw error
  const { code, message } = error
  expect(["INVALID", "UNSUPPORTED", "REFUSED"]).toContain(code)
  expect(error.cause).toBeUndefined()
  expect(message.length).toBeLessThan(MESSAGE_LENGTH_MAX)
  expect(toldPart(message, key)).toBeUndefined()
  return code
}

/** 16 characters of the key that stand in a text. Few different ones, such as zeroes, stand anywhere. */
function toldPart(text: string, key: string): string | undefined {
  const [told, kept] = [text.toLowerCase(), key.toLowerCase()]
  for (let at = 0; at + SECRET_LENGTH <= told.length; at++) {
    const part = told.slice(at, at + SECRET_LENGTH)
    if (kept.includes(part) && new Set(part).size >= 4) return part
  }
  return undefined
}

function lowerOf(operand: string): BlockDevice {
  const [, tagBytes, blockSize = "512"] = /^T(\d+)(?:\/(\d+))?$/.exec(operand) ?? []
  return memoryDevice({ size: 1024 * 1024, tagSize: Number(tagBytes ?? 0), blockSize: Number(blockSize) })
}

const context = {
  size: SIZE,
  device: lowerOf,
  readOnly: false,
  runtime: hostRuntime,
  resolveKey: (description: string) => (description === "k" ? new Uint8Array(64).fill(7) : undefined),
}

/** What becomes of a line: a code, or the cipher that was opened. */
async function outcomeOf({ args, key }: FuzzLine): Promise<string> {
  try {
    const line = cryptWord.parse(args, SIZE)
    const printed = cryptWord.print(line, { showKeys: true })
    expect(cryptWord.parse(printed, SIZE)).toEqual(line)
    if (line.key.kind === "hex") {
      // A device operand is a name, whatever it looks like.
      const [hidden = ""] = cryptWord.print(line, { showKeys: false }).slice(1)
      expect(hidden).toBe("0".repeat(printed[1]?.length ?? 0))
    }
    const device = await cryptWord.open(line, context)
    await device.close()
    return "opened"
  } catch (error) {
    return codeOfRefusal(error, key)
  }
}

/** Bytes that are in use once the collector has been. */
function heapSize(): number {
  setFlagsFromString("--expose_gc")
  runInNewContext("gc()")
  return process.memoryUsage().heapUsed
}

test("any crypt line opens, or is refused with a code, and no message tells the key", async () => {
  const counts = new Map<string, number>()
  const openedCiphers = new Set<string>()
  const before = heapSize()
  await fc.assert(
    fc.asyncProperty(fuzzed, async (line) => {
      const outcome = await outcomeOf(line)
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
      if (outcome === "opened") openedCiphers.add(line.args[0] ?? "")
    }),
    { numRuns: runCount(10_000) },
  )
  for (const outcome of ["opened", "INVALID", "UNSUPPORTED", "REFUSED"]) {
    expect(counts.get(outcome) ?? 0, outcome).toBeGreaterThan(30)
  }
  expect(openedCiphers.size).toBeGreaterThanOrEqual(8)
  // However many lines there were: what was refused or closed leaves nothing.
  expect(heapSize() - before).toBeLessThan(64 * 1024 * 1024)
})

test("the same seed makes the same lines", () => {
  const sample = (seed: number) => fc.sample(fuzzed, { seed, numRuns: 200 })
  expect(sample(1)).toEqual(sample(1))
  expect(sample(1)).not.toEqual(sample(2))
})

const LENGTH = 300_000
const key = hexKey(64)
const long: readonly (readonly [string, readonly string[]])[] = [
  ["a cipher of letters", ["a".repeat(LENGTH), key, "0", "D", "0"]],
  ["open brackets", [`capi:${"xts(".repeat(LENGTH / 4)}`, key, "0", "D", "0"]],
  ["nested brackets", [`capi:${"xts(".repeat(LENGTH / 8)}aes${")".repeat(LENGTH / 8)}`, key, "0", "D", "0"]],
  ["commas", [`capi:authenc(${",".repeat(LENGTH)})-plain64`, key, "0", "D", "0"]],
  ["dashes", [`aes${"-".repeat(LENGTH)}`, key, "0", "D", "0"]],
  ["colons", [`aes${":".repeat(LENGTH)}-xts-plain64`, key, "0", "D", "0"]],
  ["a number of keys", [`aes:${"1".repeat(LENGTH)}-xts-plain64`, key, "0", "D", "0"]],
  ["an IV option", [`aes-xts-plain64:${"x".repeat(LENGTH)}`, key, "0", "D", "0"]],
  ["a template as an IV option", [`capi:xts(aes)-essiv:${"(".repeat(LENGTH)}`, key, "0", "D", "0"]],
  ["half pairs of unicode", [`aes-xts-${"\ud800".repeat(LENGTH)}`, key, "0", "D", "0"]],
  ["a key", ["aes-xts-plain64", "ab".repeat(LENGTH / 2), "0", "D", "0"]],
  ["a key of letters", ["aes-xts-plain64", "z".repeat(LENGTH), "0", "D", "0"]],
  ["a key's name", ["aes-xts-plain64", `:64:logon:${"n".repeat(LENGTH)}`, "0", "D", "0"]],
  ["a key's type", ["aes-xts-plain64", `:64:${"t".repeat(LENGTH)}`, "0", "D", "0"]],
  ["colons for a key", ["aes-xts-plain64", ":".repeat(LENGTH), "0", "D", "0"]],
  ["an IV offset", ["aes-xts-plain64", key, "9".repeat(LENGTH), "D", "0"]],
  ["zeroes for an IV offset", ["aes-xts-plain64", key, `${"0".repeat(LENGTH)}x`, "D", "0"]],
  ["a number of options", ["aes-xts-plain64", key, "0", "D", "0", "1".repeat(LENGTH), "allow_discards"]],
  ["an option", ["aes-xts-plain64", key, "0", "D", "0", "1", "o".repeat(LENGTH)]],
  ["a tag size", ["aes-xts-plain64", key, "0", "D", "0", "1", `integrity:${"1".repeat(LENGTH)}`]],
  ["a tag size with letters", ["aes-xts-plain64", key, "0", "D", "0", "1", `integrity:${"1x".repeat(LENGTH / 2)}`]],
  ["a sector size", ["aes-xts-plain64", key, "0", "D", "0", "1", `sector_size:${"5".repeat(LENGTH)}`]],
  ["arguments", ["aes-xts-plain64", key, "0", "D", "0", "8", ...Array<string>(LENGTH / 10).fill("allow_discards")]],
]

test.each(long)("%s without end: a short message, at once", async (what, args) => {
  const start = performance.now()
  // Linux does not look at the option of an IV that has none.
  const outcomes = what === "an IV option" ? ["opened"] : ["INVALID", "UNSUPPORTED"]
  expect(outcomes).toContain(await outcomeOf({ args, key }))
  // A step for each pair of characters would take minutes.
  expect(performance.now() - start).toBeLessThan(5000)
})
