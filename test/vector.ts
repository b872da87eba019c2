import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gunzipSync } from "node:zlib"
import { decompress } from "fzstd"

/** What a vector's manifest says. Fields that only some kinds have are optional. */
export interface VectorManifest {
  readonly name: string
  /** `dm-crypt`, `dm-crypt+dm-integrity`, `dm-integrity`, `dm-integrity-dirty`, `dm-integrity-inline`, `dm-verity`, `luks` ... */
  readonly kind: string
  /** Keys and salts in hex; passphrases as text. */
  readonly secrets: Readonly<Record<string, string>>
  readonly images: Readonly<Record<string, VectorImage>>
  readonly expect: VectorExpectation
  readonly plaintext: VectorPlaintext
  /** What the tools printed: `table` with keys, `dump`, `format`, `sha256`, `size` ... */
  readonly outputs: Readonly<Record<string, string>>
  /** Lowest device first; operands are `img:FILE` or the name of a device before it. */
  readonly stack?: readonly { readonly name: string; readonly line: string }[]
  readonly uuid?: string
  readonly params?: VerityParams
}

/** One image of a vector; `size` and `sha256` are of the raw image. */
export interface VectorImage {
  readonly file: string
  readonly size: number
  readonly sha256: string
  readonly layout?: string
}

/** What the kernel gave; `sha256` is of the whole topmost device. */
export interface VectorExpectation {
  readonly sha256?: string
  readonly provided_bytes?: number
  readonly written_bytes?: number
  readonly root_hash?: string
  readonly sha256_after_recovery?: string
  readonly recovered_image_sha256?: string
  readonly corruption?: VectorCorruption
}

/** The damage that the kernel was shown: the bytes XORed with 0xff and how each block then read (`18 EIO`). */
export interface VectorCorruption {
  readonly image: string
  readonly flip_byte?: number
  readonly flip_bytes?: readonly number[]
  readonly block?: number
  readonly unit?: number
  readonly reads: readonly string[]
}

/** How the plaintext was made; see `plaintextOf`. */
export interface VectorPlaintext {
  readonly generator: string
  readonly seed: string
  readonly layout: string
  readonly length?: number
  readonly sha256?: string
}

/** What veritysetup was told; sizes in bytes. */
export interface VerityParams {
  readonly hash: string
  readonly salt: string
  readonly data_block_size: number
  readonly hash_block_size: number
  readonly hash_type: number
  readonly data_blocks: number
  readonly hash_offset: number
  readonly superblock: boolean
  readonly fec_roots: number
}

/** A word of a line that names a device: an image of the vector, or a device that stands before it in the stack. */
export type VectorOperand =
  | { readonly word: string; readonly image: string }
  | { readonly word: string; readonly lower: string }

/** One device-mapper line of a vector's stack. */
export interface VectorLine {
  readonly name: string
  readonly line: string
  readonly operands: readonly VectorOperand[]
}

/** A volume that the Linux kernel wrote. */
export interface Vector {
  readonly name: string
  readonly manifest: VectorManifest
  /** Lowest device first; empty if the kind has no table line. */
  readonly stack: readonly VectorLine[]
  /** The raw bytes of an image: a fresh copy at each call, its SHA-256 compared with the manifest. */
  image(name: string): Uint8Array
}

const COMMITTED = fileURLToPath(new URL("vectors/", import.meta.url))

/** The names of the vectors in this repository, sorted. */
export function listVectors(): string[] {
  return listFolder(COMMITTED)
}

/** A vector of this repository. */
export function loadVector(name: string): Vector {
  return loadFrom(COMMITTED, name)
}

/** Every vector of the folder that `BLOCKSTRATA_VECTORS` names; empty if it is not set. */
export function loadSharedVectors(): Vector[] {
  const folder = process.env["BLOCKSTRATA_VECTORS"]
  return folder ? listFolder(folder).map((name) => loadFrom(folder, name)) : []
}

function listFolder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

function loadFrom(folder: string, name: string): Vector {
  const manifest = JSON.parse(readFileSync(join(folder, name, "manifest.json"), "utf8")) as VectorManifest
  const image = (imageName: string): Uint8Array => {
    const entry = manifest.images[imageName]
    if (!entry) throw new RangeError(`${name}: no image ${imageName}`)
    const bytes = unpack(entry.file, readFileSync(join(folder, name, entry.file)))
    if (sha256(bytes) !== entry.sha256) throw new Error(`${name}: ${imageName} is not what the manifest says`)
    return bytes
  }
  return { name, manifest, stack: stackOf(manifest), image }
}

function unpack(file: string, packed: Uint8Array): Uint8Array {
  const bytes = file.endsWith(".gz") ? gunzipSync(packed) : file.endsWith(".zst") ? decompress(packed) : packed
  return new Uint8Array(bytes)
}

function stackOf(manifest: VectorManifest): VectorLine[] {
  const names = new Set<string>()
  return (manifest.stack ?? []).map(({ name, line }) => {
    const operands = line.split(" ").flatMap((argument): VectorOperand[] => {
      const word = argument.replace(/^meta_device:/, "")
      if (word.startsWith("img:")) return [{ word, image: word.slice(4) }]
      return names.has(word) ? [{ word, lower: word }] : []
    })
    names.add(name)
    return { name, line, operands }
  })
}

/** SHA-256 in hex, as manifests have it. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex")
}
