import { type Cipher, createCipheriv, createDecipheriv, createHash, createHmac, getCipherInfo } from "node:crypto"
import { cryptTarget } from "@blockstrata/crypt"
import { type BlockDevice, memoryDevice } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { type Bench, type BenchContext, createEngine, measureCase } from "./bench.ts"
import { type BenchRecord, OURS } from "./harness/bench-record.ts"
import { fillNoise } from "./harness/noise.ts"
import type { Contestant } from "./harness/paired-rounds.ts"

const KIB = 1024
const MIB = 1024 * KIB
const REQUEST_SIZE = 64 * KIB
const DEVICE_SIZE = 4 * MIB

/** A line's cipher, and what of it OpenSSL has: every byte goes through each of these once, at the least. */
interface CryptMode {
  readonly cipher: string
  /** Bytes of the whole key. */
  readonly keySize: number
  readonly ciphers: readonly string[]
  readonly hash?: string
  /** Bytes beside each sector. */
  readonly tagSize?: number
  readonly sectorSizes?: readonly number[]
}

const SECTOR_SIZES = [512, 4096]
const SMALL_SECTORS = [512]
const MODES: readonly CryptMode[] = [
  { cipher: "aes-xts-plain64", keySize: 64, ciphers: ["aes-256-xts"] },
  { cipher: "aes:64-xts-plain64", keySize: 64 * 64, ciphers: ["aes-256-xts"], sectorSizes: SMALL_SECTORS },
  { cipher: "aes-cbc-essiv:sha256", keySize: 32, ciphers: ["aes-256-cbc"] },
  { cipher: "aes-cbc-eboiv", keySize: 32, ciphers: ["aes-256-cbc"] },
  { cipher: "aes-cbc-elephant", keySize: 64, ciphers: ["aes-256-cbc"] },
  { cipher: "aes-cbc-tcw", keySize: 64, ciphers: ["aes-256-cbc"], sectorSizes: SMALL_SECTORS },
  { cipher: "aes:64-cbc-lmk", keySize: 65 * 32, ciphers: ["aes-256-cbc"], hash: "md5", sectorSizes: SMALL_SECTORS },
  { cipher: "aes-ctr-plain64", keySize: 32, ciphers: ["aes-256-ctr"] },
  { cipher: "aes-ecb", keySize: 32, ciphers: ["aes-256-ecb"] },
  { cipher: "aes-lrw-benbi", keySize: 48, ciphers: ["aes-256-ecb"] },
  { cipher: "xchacha12,aes-adiantum-plain64", keySize: 32, ciphers: ["chacha20"] },
  { cipher: "xchacha20,aes-adiantum-plain64", keySize: 32, ciphers: ["chacha20"] },
  { cipher: "capi:gcm(aes)-random", keySize: 32, ciphers: ["aes-256-gcm"], tagSize: 28 },
  { cipher: "capi:rfc4309(ccm(aes))-random", keySize: 35, ciphers: ["aes-256-ctr", "aes-256-cbc"], tagSize: 24 },
  { cipher: "capi:rfc7539(chacha20,poly1305)-random", keySize: 32, ciphers: ["chacha20-poly1305"], tagSize: 28 },
  ...["xts", "cbc", "ctr"].map((mode) => ({
    cipher: `capi:authenc(hmac(sha256),${mode}(aes))-random`,
    keySize: mode === "xts" ? 96 : 64,
    ciphers: [`aes-256-${mode}`],
    hash: "sha256",
    tagSize: 48,
  })),
]

type Direction = "read" | "write"
const DIRECTIONS: readonly Direction[] = ["read", "write"]

/** Every mode as a device over memory, so that what lies around the cipher is in it: IVs, keys by turns, tags, copies. */
export const cryptModes: Bench = {
  name: "crypt-modes",
  question: "What does each dm-crypt mode cost, against the same bytes through OpenSSL's ciphers and hashes alone?",
  async *run(context) {
    for (const engineName of context.engineNames) {
      const engine = createEngine(engineName)
      const memory = engine.allocate(DEVICE_SIZE)
      for (const mode of MODES) {
        for (const sectorSize of mode.sectorSizes ?? SECTOR_SIZES)
          yield* measureMode(context, mode, sectorSize, { engine, memory, engineName })
      }
      engine.close()
    }
  },
}

interface Host {
  readonly engineName: string
  readonly engine: Engine
  /** What the device keeps. */
  readonly memory: Uint8Array
}

async function* measureMode(
  context: BenchContext,
  mode: CryptMode,
  sectorSize: number,
  { engine, memory, engineName }: Host,
): AsyncIterable<BenchRecord> {
  const { tagSize = 0 } = mode
  const key = fillNoise(new Uint8Array(mode.keySize))
  const lower = memoryDevice({ bytes: memory, blockSize: sectorSize, tagSize })
  const device = cryptTarget({
    lower,
    size: lower.size,
    sectorSize,
    cipher: mode.cipher,
    key,
    ivOffsetSectors: 0,
    engine,
    integrity: tagSize > 0 ? { tagSize, kind: "aead" } : undefined,
  })
  const request = fillNoise(engine.allocate(REQUEST_SIZE))
  for (let at = 0; at < device.size; at += REQUEST_SIZE) await device.write(at, request)
  for (const direction of DIRECTIONS) {
    const contestants: Contestant[] = [
      { name: OURS, run: throughDevice(device, direction, request) },
      { name: "limit", run: rawLoop(mode, direction, REQUEST_SIZE, true) },
      { name: "naive", run: rawLoop(mode, direction, sectorSize, false) },
    ]
    const name = `${engineName}: ${mode.cipher} ${direction}, sectors of ${sectorSize}, requests of 64 KiB`
    const amount = REQUEST_SIZE / MIB
    yield await measureCase(context, { bench: "crypt-modes", case: name, unit: "MiB/s", amount }, contestants)
  }
  await device.close()
}

function throughDevice(device: BlockDevice, direction: Direction, request: Uint8Array): Contestant["run"] {
  let at = 0
  return async (turnCount) => {
    for (let turn = 0; turn < turnCount; turn++) {
      await (direction === "read" ? device.read(at, request) : device.write(at, request))
      at = at + REQUEST_SIZE === device.size ? 0 : at + REQUEST_SIZE
    }
  }
}

/** OpenSSL over pieces: with one object for everything (the limit), or new ones for each piece (the obvious code). */
function rawLoop(mode: CryptMode, direction: Direction, pieceSize: number, isLasting: boolean): Contestant["run"] {
  const bytes = fillNoise(new Uint8Array(REQUEST_SIZE))
  const makers = mode.ciphers.map((name) => cipherMaker(name, direction))
  const { hash } = mode
  const macKey = new Uint8Array(32)
  const lasting = makers.map((create) => create())
  const lastingHash = hash === undefined ? undefined : createHash(hash)
  return (turnCount) => {
    for (let turn = 0; turn < turnCount; turn++) {
      for (let at = 0; at < bytes.length; at += pieceSize) {
        const piece = bytes.subarray(at, at + pieceSize)
        for (const cipher of isLasting ? lasting : makers.map((create) => create())) piece.set(cipher.update(piece))
        if (hash === undefined) continue
        if (isLasting) lastingHash?.update(piece)
        else if (hash === "md5") createHash(hash).update(piece).digest()
        else createHmac(hash, macKey).update(piece).digest()
      }
    }
  }
}

function cipherMaker(name: string, direction: Direction): () => Cipher {
  const { keyLength = 0, ivLength } = getCipherInfo(name) ?? {}
  const key = fillNoise(new Uint8Array(keyLength))
  const iv = ivLength === undefined ? null : new Uint8Array(ivLength)
  // CBC-MAC encrypts both ways.
  const create = direction === "read" ? createDecipheriv : createCipheriv
  return () => create(name, key, iv).setAutoPadding(false)
}
