/**
 * Which cipher expressions Linux 6.1 can build, so that a refusal says the right thing: unknown to Linux, or only not
 * built here. Facts found by loading the lines into a 6.1 kernel; what a kernel leaves out at build time counts as known.
 */

/** `name(args)`, as the kernel's crypto API writes algorithms. */
export interface CipherExpression {
  readonly name: string
  readonly args: readonly CipherExpression[]
}

/** What an expression stands for; sizes in bytes. */
export type CipherShape =
  | { readonly kind: "block"; readonly blockSize: number }
  | { readonly kind: "stream" | "sector" | "aead"; readonly name: string; readonly ivSize: number }
  | { readonly kind: "hash"; readonly digestSize: number; readonly hasHmac: boolean }
  | { readonly kind: "mac" }

type Template = (args: readonly CipherShape[]) => CipherShape | undefined

/** @returns the tree of `text`, or undefined if its brackets are wrong or a name is empty. */
export function parseExpression(text: string): CipherExpression | undefined {
  const tokens = text.match(/[^(),]+|[(),]/g) ?? []
  let at = 0
  function expression(): CipherExpression | undefined {
    const name = tokens[at++]
    if (name === undefined || /[(),\s]/.test(name)) return undefined
    if (tokens[at] !== "(") return { name, args: [] }
    const args: CipherExpression[] = []
    do {
      at++
      const arg = expression()
      if (arg === undefined) return undefined
      args.push(arg)
    } while (tokens[at] === ",")
    return tokens[at++] === ")" ? { name, args } : undefined
  }
  // The kernel's algorithm names are short, and so is the recursion.
  const tree = text.length < NAME_LENGTH_MAX ? expression() : undefined
  return at === tokens.length ? tree : undefined
}

/** What Linux 6.1 would build from an expression, or undefined if it refuses. */
export function shapeOf(expression: CipherExpression): CipherShape | undefined {
  if (expression.args.length === 0) return LEAVES.get(expression.name)
  const args: CipherShape[] = []
  for (const arg of expression.args) {
    const shape = shapeOf(arg)
    if (shape === undefined) return undefined
    args.push(shape)
  }
  return TEMPLATES.get(expression.name)?.(args)
}

/** Whether a word names one driver of an algorithm: which of them a kernel has depends on the machine. */
export function isDriverName(name: string): boolean {
  return /-(generic|aesni|avx|avx2|asm|ce|neon|simd)$/.test(name)
}

/** Whether Linux takes `essiv:hash`: digests of at most 32 bytes, and with AES such as make a key. */
export function isEssivHash(name: string, isAes: boolean): boolean {
  const shape = LEAVES.get(name)
  return shape?.kind === "hash" && (isAes ? [16, 32].includes(shape.digestSize) : shape.digestSize <= 32)
}

const NAME_LENGTH_MAX = 128

const LEAVES: ReadonlyMap<string, CipherShape> = new Map<string, CipherShape>([
  ...blocks(16, "aes anubis aria camellia cast6 seed serpent sm4 twofish"),
  ...blocks(8, "blowfish cast5 des des3_ede fcrypt khazad tea xeta xtea"),
  ...blocks(1, "arc4"),
  ...["chacha20", "xchacha20", "xchacha12"].map((name): [string, CipherShape] => [
    name,
    { kind: "stream", name, ivSize: name === "chacha20" ? 16 : 32 },
  ]),
  ["aegis128", { kind: "aead", name: "aegis128", ivSize: 16 }],
  ...hashes(16, true, "md4 md5"),
  ...hashes(20, true, "rmd160 sha1 blake2b-160"),
  ...hashes(28, true, "sha224 sha3-224"),
  ...hashes(32, true, "sha256 sha3-256 sm3 streebog256 wp256 blake2b-256"),
  ...hashes(48, true, "sha384 sha3-384 wp384 blake2b-384"),
  ...hashes(64, true, "sha512 sha3-512 streebog512 wp512 blake2b-512"),
  ...hashes(16, false, "poly1305"),
])

/** Modes of one block cipher whose IV is as long as its block. */
const BLOCK_MODES = "cbc cfb ctr ofb pcbc".split(" ")

const TEMPLATES: ReadonlyMap<string, Template> = new Map<string, Template>([
  ...BLOCK_MODES.map((name): [string, Template] => [name, (args) => sector(name, args, 1, (blockSize) => blockSize)]),
  ["ecb", (args) => sector("ecb", args, 1, () => 0)],
  ["xts", (args) => sector("xts", args, 16, () => 16)],
  ["lrw", (args) => sector("lrw", args, 16, () => 16)],
  ["xctr", (args) => sector("xctr", args, 16, () => 16)],
  ["kw", (args) => sector("kw", args, 16, () => 8)],
  ["hctr2", (args) => sector("hctr2", args, 16, () => 32)],
  [
    "adiantum",
    ([stream, block, ...rest]) =>
      stream?.kind === "stream" &&
      stream.ivSize === 32 &&
      block?.kind === "block" &&
      block.blockSize === 16 &&
      rest.length === 0
        ? { kind: "sector", name: "adiantum", ivSize: 32 }
        : undefined,
  ],
  [
    "cts",
    ([inner, ...rest]) =>
      isSector(inner) && inner.ivSize === 16 && rest.length === 0 ? { ...inner, name: "cts" } : undefined,
  ],
  [
    "rfc3686",
    ([inner, ...rest]) =>
      isSector(inner) && inner.name === "ctr" && rest.length === 0
        ? { kind: "sector", name: "rfc3686", ivSize: 8 }
        : undefined,
  ],
  [
    "essiv",
    ([inner, hash, ...rest]) =>
      isSector(inner) &&
      inner.ivSize === 16 &&
      hash?.kind === "hash" &&
      [16, 32].includes(hash.digestSize) &&
      rest.length === 0
        ? inner
        : undefined,
  ],
  [
    "hmac",
    ([hash, ...rest]) => (hash?.kind === "hash" && hash.hasHmac && rest.length === 0 ? { kind: "mac" } : undefined),
  ],
  ["cmac", ([block, ...rest]) => (block?.kind === "block" && rest.length === 0 ? { kind: "mac" } : undefined)],
  ["gcm", (args) => aead("gcm", args, 12)],
  ["ccm", (args) => aead("ccm", args, 16)],
  ...Object.entries({ rfc4106: "gcm", rfc4543: "gcm", rfc4309: "ccm" }).map(([name, inside]): [string, Template] => [
    name,
    ([inner, ...rest]) =>
      inner?.kind === "aead" && inner.name === inside && rest.length === 0
        ? { kind: "aead", name, ivSize: 8 }
        : undefined,
  ]),
  ...Object.entries({ rfc7539: 12, rfc7539esp: 8 }).map(([name, ivSize]): [string, Template] => [
    name,
    ([stream, hash, ...rest]) =>
      stream?.kind === "stream" && stream.ivSize === 16 && hash?.kind === "hash" && !hash.hasHmac && rest.length === 0
        ? { kind: "aead", name, ivSize }
        : undefined,
  ]),
  [
    "authenc",
    ([mac, inner, ...rest]) =>
      mac?.kind === "mac" && isSector(inner) && rest.length === 0
        ? { kind: "aead", name: "authenc", ivSize: inner.ivSize }
        : undefined,
  ],
])

function blocks(blockSize: number, names: string): [string, CipherShape][] {
  return names.split(" ").map((name) => [name, { kind: "block", blockSize }])
}

function hashes(digestSize: number, hasHmac: boolean, names: string): [string, CipherShape][] {
  return names.split(" ").map((name) => [name, { kind: "hash", digestSize, hasHmac }])
}

function sector(
  name: string,
  args: readonly CipherShape[],
  blockSizeMin: number,
  ivSize: (blockSize: number) => number,
): CipherShape | undefined {
  const [block] = args
  if (args.length !== 1 || block?.kind !== "block" || block.blockSize < blockSizeMin) return undefined
  return { kind: "sector", name, ivSize: ivSize(block.blockSize) }
}

function aead(name: string, args: readonly CipherShape[], ivSize: number): CipherShape | undefined {
  const [block] = args
  return args.length === 1 && block?.kind === "block" && block.blockSize === 16
    ? { kind: "aead", name, ivSize }
    : undefined
}

function isSector(
  shape: CipherShape | undefined,
): shape is Extract<CipherShape, { kind: "sector" | "stream" | "aead" }> {
  return shape?.kind === "sector"
}
