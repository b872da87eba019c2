import { type CryptOptions, cryptTarget } from "@blockstrata/crypt"
import fc from "fast-check"
import { seededRandom } from "../seeded-random.ts"
import type { LayerKind } from "../stack/stack-plan.ts"

/** A key of so many bytes; for tests, where the same one does. */
export function testKey(length: number): Uint8Array {
  return seededRandom(5, "layer key").bytes(length)
}

type SectorSize = 512 | 1024 | 2048 | 4096

/** A way to encrypt sectors, with the bytes of its whole key. */
interface SectorCipher {
  readonly cipher: string
  readonly keySize: number
  /** Each 16 bytes stand alone, so that those of a torn sector are old or new. */
  readonly isPiecewise?: boolean
  readonly sectorSizeMax?: SectorSize
}

const SECTOR_CIPHERS: readonly SectorCipher[] = [
  { cipher: "aes-xts-plain64", keySize: 64, isPiecewise: true },
  { cipher: "aes:4-xts-plain64be", keySize: 128, isPiecewise: true },
  { cipher: "aes-cbc-plain64", keySize: 32 },
  { cipher: "aes-cbc-essiv:sha256", keySize: 32 },
  { cipher: "aes-cbc-eboiv", keySize: 16 },
  { cipher: "aes-cbc-elephant", keySize: 64 },
  { cipher: "aes-cbc-tcw", keySize: 64, sectorSizeMax: 512 },
  { cipher: "aes:64-cbc-lmk", keySize: 65 * 16, sectorSizeMax: 512 },
  { cipher: "aes-ctr-plain64", keySize: 32, isPiecewise: true },
  { cipher: "aes-lrw-benbi", keySize: 48, isPiecewise: true },
  { cipher: "xchacha12,aes-adiantum-plain64", keySize: 32 },
]

interface SectorCryptOptions {
  readonly sectorCipher: SectorCipher
  readonly sectorSize: SectorSize
  readonly ivLargeSectors: boolean
  readonly allowDiscards: boolean
}

/** The ciphers that keep nothing but data. */
export const sectorCryptLayer: LayerKind<SectorCryptOptions> = {
  name: "crypt",
  options: fc.record({
    sectorCipher: fc.constantFrom(...SECTOR_CIPHERS),
    sectorSize: fc.constantFrom<SectorSize[]>(512, 1024, 2048, 4096),
    ivLargeSectors: fc.boolean(),
    allowDiscards: fc.boolean(),
  }),
  shape({ sectorCipher: { isPiecewise, sectorSizeMax = 4096 }, sectorSize }, below) {
    if (below.tagSize > 0 || sectorSize > sectorSizeMax) return undefined
    // In CBC, say, what follows a tear decrypts to noise.
    const isTearing = below.isTearing === true || (isPiecewise !== true && sectorSize > 512)
    return { ...below, blockSize: Math.max(sectorSize, below.blockSize), isTearing }
  },
  lowerSize: (_options, size) => size,
  open: ({ sectorCipher: { cipher, keySize }, ...options }, lower, size, { runtime }) =>
    cryptTarget({
      lower,
      size,
      cipher,
      key: testKey(keySize),
      ivOffsetSectors: 8,
      runtime,
      ...options,
    }),
}

export interface AeadOptions {
  readonly cipher:
    | "capi:gcm(aes)-random"
    | "capi:rfc4309(ccm(aes))-random"
    | "capi:rfc7539(chacha20,poly1305)-random"
    | "capi:authenc(hmac(sha512),cbc(aes))-essiv:sha256"
    | "capi:authenc(hmac(sha256),xts(aes))-plain64"
    | "capi:authenc(hmac(sha256),xts(aes))-random"
}

/** Bytes of key, and of tag and IV per sector. */
const AEADS: Readonly<Record<AeadOptions["cipher"], { readonly keySize: number; readonly tagSize: number }>> = {
  "capi:gcm(aes)-random": { keySize: 32, tagSize: 28 },
  "capi:rfc4309(ccm(aes))-random": { keySize: 35, tagSize: 24 },
  "capi:rfc7539(chacha20,poly1305)-random": { keySize: 32, tagSize: 28 },
  // A cut tag.
  "capi:authenc(hmac(sha512),cbc(aes))-essiv:sha256": { keySize: 96, tagSize: 32 },
  "capi:authenc(hmac(sha256),xts(aes))-plain64": { keySize: 96, tagSize: 32 },
  "capi:authenc(hmac(sha256),xts(aes))-random": { keySize: 96, tagSize: 48 },
}

export const aeadOptions: fc.Arbitrary<AeadOptions> = fc.record({
  cipher: fc.constantFrom(...(Object.keys(AEADS) as AeadOptions["cipher"][])),
})

export function aeadTagSize({ cipher }: AeadOptions): number {
  return AEADS[cipher].tagSize
}

export function aeadParts({
  cipher,
}: AeadOptions): Pick<CryptOptions, "cipher" | "key" | "integrity" | "ivOffsetSectors"> {
  const { keySize, tagSize } = AEADS[cipher]
  return { cipher, key: testKey(keySize), ivOffsetSectors: 0, integrity: { tagSize, kind: "aead" } }
}

/** An AEAD on a device that carries tags. */
export const aeadLayer: LayerKind<AeadOptions> = {
  name: "AEAD",
  options: aeadOptions,
  shape: (options, { blockSize, tagSize, isReadOnly }) =>
    tagSize < aeadTagSize(options) || isReadOnly === true ? undefined : { blockSize, tagSize: 0 },
  lowerSize: (_options, size) => size,
  // What was never written is unreadable: whoever stands above expects zeroes at the most.
  isEager: true,
  async open(options, lower, size, { isNew, runtime }) {
    const device = cryptTarget({ lower, size, sectorSize: lower.blockSize, runtime, ...aeadParts(options) })
    if (isNew) {
      await device.writeZeroes(0, size)
      await device.flush()
    }
    return device
  },
}
