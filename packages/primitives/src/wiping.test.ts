import { bytesToHex as hex } from "@noble/hashes/utils.js"
import { afterEach, expect, test, vi } from "vitest"
import { patternBytes } from "../test/placement.ts"
import { nodeEngine } from "./node/index.ts"
import { portableEngine } from "./portable/index.ts"

afterEach(() => {
  vi.restoreAllMocks()
})

/** The bytes that `act` overwrote with zeros, in hex. */
function wipedBy(act: () => void): string[] {
  const wiped: string[] = []
  const fill = Uint8Array.prototype.fill
  vi.spyOn(Uint8Array.prototype, "fill").mockImplementation(function (this: Uint8Array, value, start, end) {
    if (value === 0) wiped.push(Buffer.from(this.slice(start, end)).toString("hex"))
    return fill.call(this, value, start, end)
  })
  act()
  vi.restoreAllMocks()
  return wiped
}

const key = patternBytes(64)
const low = key.subarray(0, 32)
const high = key.subarray(32)

test.each([
  { name: "node AES-GCM", keys: [low], create: () => nodeEngine.aeadCipher("aes-gcm", low) },
  { name: "portable AES-GCM", keys: [low], create: () => portableEngine.aeadCipher("aes-gcm", low) },
  { name: "portable AES-CCM", keys: [low], create: () => portableEngine.aeadCipher("aes-ccm", low) },
  { name: "node HMAC", keys: [key], create: () => nodeEngine.hmac("sha256", key) },
  { name: "portable AES", keys: [low], create: () => portableEngine.blockCipher("aes", low) },
  { name: "portable XTS", keys: [low, high], create: () => portableEngine.sectorCipher("aes-xts", key) },
  { name: "node Adiantum", keys: [low], create: () => nodeEngine.sectorCipher("adiantum-xchacha12", low) },
  {
    name: "node authenc",
    keys: [high],
    create: () => nodeEngine.authenc({ hash: "sha256", macKey: high, cipher: "aes-cbc", cipherKey: low }),
  },
])("$name: destroy wipes the copies of the key, and no other memory of the caller", ({ keys, create }) => {
  const object = create()
  expect(wipedBy(() => object.destroy())).toEqual(expect.arrayContaining(keys.map(hex)))
  expect(hex(key)).toBe(hex(patternBytes(64)))
})

test.each([nodeEngine, portableEngine])("$name engine: destroy wipes the scratch of a mode", (engine) => {
  const cipher = engine.sectorCipher("aes-cbc", low)
  const plaintext = patternBytes(512, 5)
  const sealed = new Uint8Array(512)
  cipher.encryptSectors(plaintext, sealed, 512, new Uint8Array(16))
  cipher.decryptSectors(sealed, sealed, 512, new Uint8Array(16))
  // The work area of the kernels is wiped whole.
  expect(wipedBy(() => cipher.destroy()).some((wiped) => wiped.includes(hex(plaintext)))).toBe(true)
})

test.each([nodeEngine, portableEngine])("$name engine: destroy wipes what CCM kept of the plaintext", (engine) => {
  const cipher = engine.aeadCipher("aes-ccm", low)
  const plaintext = patternBytes(512, 5)
  const batch = { unitSize: 512, ivs: new Uint8Array(11), aads: new Uint8Array(0), tags: new Uint8Array(16) }
  const sealed = new Uint8Array(512)
  cipher.encryptUnits({ ...batch, source: plaintext, target: sealed })
  cipher.decryptUnits({ ...batch, source: sealed, target: sealed })
  // Of the scratch of CCM itself: the work area of the kernels is larger.
  const kept = wipedBy(() => cipher.destroy()).filter((wiped) => wiped.length < 4096)
  expect(kept.some((wiped) => wiped.includes(hex(plaintext)))).toBe(true)
})
