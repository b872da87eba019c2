import { type CryptOptions, cryptTarget } from "@blockstrata/crypt"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { seededRandom, seededRuntime } from "@blockstrata/testkit"
import { conformEverywhere, conformStack, linearRange, type StackOptions, type Step } from "./stack.ts"

const runtime = seededRuntime(1)
const key = (length: number) => seededRandom(2, "crypt key").bytes(length)

const step = (options: Omit<CryptOptions, "lower" | "size" | "ivOffsetSectors">): Step => ({
  lowerSize: (size) => size,
  open: (lower, size) => cryptTarget({ lower, size, ivOffsetSectors: 8, runtime, ...options }),
})
const hiding = (secret: Uint8Array, options: StackOptions = {}): StackOptions => ({ secrets: [secret], ...options })

/** The sector ciphers: nothing below but data. */
const ciphers: [name: string, cipher: string, keyBytes: number, more: Partial<CryptOptions>][] = [
  ["aes-xts-plain64", "aes-xts-plain64", 64, {}],
  ["aes-cbc-essiv:sha256", "aes-cbc-essiv:sha256", 32, {}],
  ["aes-xts-plain64, sectors of 4096, discards", "aes-xts-plain64", 32, { sectorSize: 4096, allowDiscards: true }],
  ["aes-cbc-plain64, sectors of 2048, large IVs", "aes-cbc-plain64", 16, { sectorSize: 2048, ivLargeSectors: true }],
]
for (const [name, cipher, keyBytes, more] of ciphers) {
  conformEverywhere(name, () => step({ cipher, key: key(keyBytes), ...more }), hiding(key(keyBytes)))
}

/** The bytes of tag and IV of each AEAD. */
const aeads: [cipher: string, keyBytes: number, tagSize: number, sectorSize: number][] = [
  ["capi:gcm(aes)-random", 32, 28, 512],
  ["capi:rfc7539(chacha20,poly1305)-random", 32, 28, 4096],
  ["capi:authenc(hmac(sha256),xts(aes))-plain64", 96, 32, 512],
  ["capi:authenc(hmac(sha256),xts(aes))-random", 96, 48, 4096],
]
for (const [cipher, keyBytes, tagSize, sectorSize] of aeads) {
  const make = (engine = nodeEngine) =>
    step({ cipher, key: key(keyBytes), sectorSize, integrity: { tagSize, kind: "aead" }, engine })
  const medium = { blockSize: sectorSize, tagSize }
  const options = hiding(key(keyBytes), { medium, authentic: true })
  conformStack(`${cipher} over tagged memory`, () => [make()], options)
  conformStack(`${cipher} over a linear range with tags`, () => [linearRange(), make()], options)
  conformStack(`${cipher}, portable engine`, () => [make(portableEngine)], { ...options, size: 64 * 1024 })
}

conformStack(
  "aes-xts-plain64, portable engine",
  () => [step({ cipher: "aes-xts-plain64", key: key(64), sectorSize: 4096, engine: portableEngine })],
  hiding(key(64)),
)
