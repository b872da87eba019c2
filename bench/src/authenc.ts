import { createCipheriv, createDecipheriv, createHmac } from "node:crypto"
import type { AeadBatch, Engine } from "@blockstrata/primitives"
import { OURS } from "./harness/bench-record.ts"
import { fillNoise } from "./harness/noise.ts"
import type { Contestant } from "./harness/paired-rounds.ts"

const IV_SIZE = 16
const TAG_SIZE = 32
/** As dm-crypt has it: the sector number and the IV. */
const AAD_SIZE = 8 + IV_SIZE
const SLICE_SIZE = 64 * 1024

/** What is sealed or opened, sizes in bytes. */
export interface AuthencShape {
  readonly direction: "seal" | "open"
  readonly sectorSize: number
  readonly requestSize: number
}

/** HMAC-SHA256 over AES-256-CBC, sector by sector; the limit is one object of each for everything. */
export function authencContestants(engine: Engine, shape: AuthencShape): Contestant[] {
  const { direction, sectorSize, requestSize } = shape
  const cipherKey = fillNoise(new Uint8Array(32))
  const macKey = fillNoise(new Uint8Array(32))
  const cipher = engine.authenc({ hash: "sha256", macKey, cipher: "aes-cbc", cipherKey })
  const count = requestSize / sectorSize
  const batch: AeadBatch = {
    source: engine.allocate(requestSize),
    target: fillNoise(engine.allocate(requestSize)),
    unitSize: sectorSize,
    ivs: fillNoise(new Uint8Array(count * IV_SIZE)),
    aads: fillNoise(new Uint8Array(count * AAD_SIZE)),
    tags: new Uint8Array(count * TAG_SIZE),
  }
  cipher.encryptUnits({ ...batch, source: batch.target, target: batch.source })
  const apply = direction === "open" ? cipher.decryptUnits : cipher.encryptUnits
  const run = (turnCount: number): void => {
    for (let turn = 0; turn < turnCount; turn++) apply(batch)
  }
  return [
    { name: OURS, run },
    { name: "limit", run: oneObjectEach(direction, cipherKey, macKey, batch.source) },
    { name: "naive", run: objectsPerSector(direction, cipherKey, macKey, batch) },
  ]
}

function oneObjectEach(
  direction: AuthencShape["direction"],
  cipherKey: Uint8Array,
  macKey: Uint8Array,
  source: Uint8Array,
): Contestant["run"] {
  const create = direction === "open" ? createDecipheriv : createCipheriv
  return (turnCount) => {
    const cipher = create("aes-256-cbc", cipherKey, new Uint8Array(IV_SIZE))
    const mac = createHmac("sha256", macKey)
    for (let turn = 0; turn < turnCount; turn++) {
      for (let start = 0; start < source.length; start += SLICE_SIZE) {
        const slice = source.subarray(start, start + SLICE_SIZE)
        mac.update(slice)
        cipher.update(slice)
      }
    }
  }
}

/** The obvious code. */
function objectsPerSector(
  direction: AuthencShape["direction"],
  cipherKey: Uint8Array,
  macKey: Uint8Array,
  { source, target, unitSize, ivs, aads, tags }: AeadBatch,
): Contestant["run"] {
  const count = source.length / unitSize
  const ownTags = new Uint8Array(tags)
  const at = (bytes: Uint8Array, index: number, size: number): Uint8Array =>
    bytes.subarray(index * size, (index + 1) * size)
  const work = (index: number): void => {
    const sector = at(source, index, unitSize)
    const create = direction === "open" ? createDecipheriv : createCipheriv
    const cipher = create("aes-256-cbc", cipherKey, at(ivs, index, IV_SIZE)).setAutoPadding(false)
    const result = cipher.update(sector)
    target.set(result, index * unitSize)
    const mac = createHmac("sha256", macKey).update(at(aads, index, AAD_SIZE))
    const tag = mac.update(direction === "open" ? sector : result).digest()
    if (direction === "seal") ownTags.set(tag, index * TAG_SIZE)
    else if (!tag.equals(at(ownTags, index, TAG_SIZE))) throw new Error("bench: a tag does not match")
  }
  return (turnCount) => {
    for (let turn = 0; turn < turnCount; turn++) for (let index = 0; index < count; index++) work(index)
  }
}
