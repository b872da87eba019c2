import { type CipherGCMTypes, createCipheriv, createDecipheriv } from "node:crypto"
import type { AeadBatch, AeadName, Engine } from "@blockstrata/primitives"
import { gcm } from "@noble/ciphers/aes.js"
import { chacha20poly1305 } from "@noble/ciphers/chacha.js"
import { authencContestants } from "./authenc.ts"
import { type Bench, type BenchContext, createEngine, type EngineName, measureCase } from "./bench.ts"
import { type BenchRecord, OURS } from "./harness/bench-record.ts"
import { fillNoise } from "./harness/noise.ts"
import type { Contestant } from "./harness/paired-rounds.ts"

const KIB = 1024
const MIB = 1024 * KIB
const IV_SIZES = { "aes-gcm": 12, "aes-ccm": 11, "chacha20-poly1305": 12 } as const
const TAG_SIZE = 16
/** As dm-crypt has it: the sector number and the IV, or of RFC 4309 the sector number alone. */
const AAD_SIZES = { "aes-gcm": 20, "aes-ccm": 8, "chacha20-poly1305": 20 } as const
const KEY_SIZE = 32

type Direction = "seal" | "open"

interface Shape {
  readonly algorithm: AeadName
  readonly direction: Direction
  readonly sectorSize: number
  readonly requestSize: number
}

const OPENSSL_NAMES = {
  "aes-gcm": "aes-256-gcm",
  "aes-ccm": "aes-256-ccm",
  "chacha20-poly1305": "chacha20-poly1305",
} as const
/** Noble has no CCM. */
const NOBLE_CIPHERS = { "aes-gcm": gcm, "aes-ccm": undefined, "chacha20-poly1305": chacha20poly1305 }
const ALGORITHMS: readonly AeadName[] = ["aes-gcm", "aes-ccm", "chacha20-poly1305"]
const DIRECTIONS: readonly Direction[] = ["open", "seal"]
const REQUEST_SIZES = [4 * KIB, 16 * KIB, 256 * KIB, MIB]

/** Authenticated sectors, each with IV, associated data and tag of its own; the limit is one object without any of them. */
export const aead: Bench = {
  name: "aead",
  question: "What do verified reads and sealed writes cost, against raw OpenSSL and against one object per sector?",
  async *run(context) {
    for (const engineName of context.engineNames) {
      const engine = createEngine(engineName)
      for (const shape of shapes(engineName)) {
        const { algorithm, direction, sectorSize, requestSize } = shape
        const flags = ["-evp", OPENSSL_NAMES[algorithm], ...(direction === "open" ? ["-decrypt"] : [])]
        const request = requestSize < MIB ? `${requestSize / KIB} KiB` : `${requestSize / MIB} MiB`
        const name = `${engineName}: ${algorithm} ${direction}, sectors of ${sectorSize}, requests of ${request}`
        yield await measureCase(
          context,
          { bench: "aead", case: name, unit: "MiB/s", amount: requestSize / MIB },
          contestantsOf(engine, engineName, shape),
          await context.opensslSpeed(flags, sectorSize),
        )
      }
      yield* authencCases(context, engine, engineName)
    }
  },
}

async function* authencCases(
  context: BenchContext,
  engine: Engine,
  engineName: EngineName,
): AsyncIterable<BenchRecord> {
  for (const sectorSize of [512, 4096]) {
    for (const direction of DIRECTIONS) {
      const name = `${engineName}: authenc(hmac(sha256),cbc(aes)) ${direction}, sectors of ${sectorSize}, requests of 64 KiB`
      const shape = { direction, sectorSize, requestSize: 64 * KIB }
      yield await measureCase(
        context,
        { bench: "aead", case: name, unit: "MiB/s", amount: shape.requestSize / MIB },
        authencContestants(engine, shape),
      )
    }
  }
}

function shapes(engineName: EngineName): Shape[] {
  const all = ALGORITHMS.flatMap((algorithm) =>
    [512, 4096].flatMap((sectorSize) =>
      DIRECTIONS.map((direction): Shape => ({ algorithm, direction, sectorSize, requestSize: 64 * KIB })),
    ),
  )
  if (engineName === "portable") return all
  for (const sectorSize of [512, 4096]) {
    for (const requestSize of REQUEST_SIZES) {
      all.push({ algorithm: "aes-gcm", direction: "open", sectorSize, requestSize })
    }
  }
  return all
}

function contestantsOf(engine: Engine, engineName: EngineName, shape: Shape): Contestant[] {
  const { algorithm, direction, sectorSize } = shape
  const key = fillNoise(new Uint8Array(KEY_SIZE))
  const cipher = engine.aeadCipher(algorithm, key)
  const batch = emptyBatch(engine, shape)
  cipher.encryptUnits({ ...batch, source: batch.target, target: batch.source })
  const apply = direction === "open" ? cipher.decryptUnits : cipher.encryptUnits
  const contestants: Contestant[] = [
    {
      name: OURS,
      run(turnCount) {
        for (let turn = 0; turn < turnCount; turn++) apply(batch)
      },
    },
    { name: "limit", run: rawCipher(shape, key, batch) },
    { name: "naive", run: objectPerSector(shape, key, batch) },
  ]
  const noble = NOBLE_CIPHERS[algorithm]
  if (engineName !== "portable" || noble === undefined) return contestants
  const run = (turnCount: number): void => {
    for (let turn = 0; turn < turnCount; turn++) {
      for (let start = 0; start < batch.source.length; start += sectorSize) {
        noble(key, batch.ivs.subarray(0, IV_SIZES[algorithm]), batch.aads.subarray(0, AAD_SIZES[algorithm])).encrypt(
          batch.source.subarray(start, start + sectorSize),
        )
      }
    }
  }
  return [...contestants, { name: "noble-encrypt", run }]
}

/** Room for a request, with noise to seal in its target. */
function emptyBatch(engine: Engine, { algorithm, sectorSize, requestSize }: Shape): AeadBatch {
  const count = requestSize / sectorSize
  return {
    source: engine.allocate(requestSize),
    target: fillNoise(engine.allocate(requestSize)),
    unitSize: sectorSize,
    ivs: fillNoise(new Uint8Array(count * IV_SIZES[algorithm])),
    aads: fillNoise(new Uint8Array(count * AAD_SIZES[algorithm])),
    tags: new Uint8Array(count * TAG_SIZE),
  }
}

/**
 * One object a slice, which never gets to a tag: 64 GiB under one IV is the most that GCM takes. One of CCM takes a single
 * update: there it is one for 64 KiB, and it seals, which costs as much.
 */
function rawCipher({ algorithm, direction }: Shape, key: Uint8Array, batch: AeadBatch): Contestant["run"] {
  const name = OPENSSL_NAMES[algorithm] as CipherGCMTypes
  const iv = new Uint8Array(IV_SIZES[algorithm])
  const { source } = batch
  if (algorithm === "aes-ccm") {
    return (turnCount) => {
      for (let turn = 0; turn < turnCount; turn++) {
        for (let start = 0; start < source.length; start += 64 * KIB) {
          createCipheriv(name, key, iv, { authTagLength: TAG_SIZE }).update(source.subarray(start, start + 64 * KIB))
        }
      }
    }
  }
  const create = direction === "open" ? createDecipheriv : createCipheriv
  return (turnCount) => {
    const raw = create(name, key, iv, { authTagLength: TAG_SIZE })
    for (let turn = 0; turn < turnCount; turn++) {
      for (let start = 0; start < source.length; start += 64 * KIB) {
        raw.update(source.subarray(start, start + 64 * KIB))
      }
    }
  }
}

/** The obvious code. */
function objectPerSector({ algorithm, direction }: Shape, key: Uint8Array, batch: AeadBatch): Contestant["run"] {
  const name = OPENSSL_NAMES[algorithm] as CipherGCMTypes
  const { source, target, unitSize, ivs, aads } = batch
  const count = source.length / unitSize
  const tags = new Uint8Array(batch.tags)
  const at = (bytes: Uint8Array, index: number, size: number): Uint8Array =>
    bytes.subarray(index * size, (index + 1) * size)
  const work = (index: number): void => {
    const iv = at(ivs, index, IV_SIZES[algorithm])
    const options = { authTagLength: TAG_SIZE }
    if (direction === "open") {
      const decipher = createDecipheriv(name, key, iv, options)
      decipher.setAAD(at(aads, index, AAD_SIZES[algorithm]), { plaintextLength: unitSize })
      decipher.setAuthTag(at(tags, index, TAG_SIZE))
      target.set(decipher.update(at(source, index, unitSize)), index * unitSize)
      decipher.final()
    } else {
      const cipher = createCipheriv(name, key, iv, options)
      cipher.setAAD(at(aads, index, AAD_SIZES[algorithm]), { plaintextLength: unitSize })
      target.set(cipher.update(at(source, index, unitSize)), index * unitSize)
      cipher.final()
      tags.set(cipher.getAuthTag(), index * TAG_SIZE)
    }
  }
  return (turnCount) => {
    for (let turn = 0; turn < turnCount; turn++) for (let index = 0; index < count; index++) work(index)
  }
}
