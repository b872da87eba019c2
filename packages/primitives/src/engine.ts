/**
 * One interface to the cryptographic primitives, two implementations: `node:crypto`, and portable noble.
 *
 * Every call is a batch: the units (sectors, blocks) of one request, one after the other in one buffer, of any length
 * and any alignment, in plain or shared memory; scratch memory does not grow with the request (the engine's work area, 2 MiB,
 * and a few buffers of 128 KiB, or of one unit where that is larger). Nothing is touched when the arguments are wrong: a wrong name, key length or
 * buffer length is a `RangeError`; what is not a `Uint8Array`, or an object used after `destroy`, is a `TypeError`. There
 * is no other error, for a failed verification is an answer: the index of the first unit that failed. `source` and
 * `target` have the same length and are the same memory or do not overlap; `source` is not modified unless it is also
 * `target`; `target` overlaps no other argument.
 * An engine keeps copies of the keys it was given, and `destroy` wipes them (best effort: a JavaScript host gives no
 * promise, and the expanded keys inside `node:crypto` go with their garbage collection).
 */
export interface Engine {
  readonly name: string
  /**
   * Memory that the engine's kernels use without a copy, zeroed, 64-byte aligned; it is the caller's as long as the engine
   * lives. For buffers that are used again and again: it is not given back. Any other memory will do as well, at the cost
   * of a copy, and is what comes once the engine's own (32 MiB) is used up.
   */
  allocate(length: number): Uint8Array
  /** Ends the threads of an engine that has any. Its ciphers go on without them. */
  close(): void
  /** AES by blocks of 16 bytes (ECB): key of 16, 24 or 32 bytes. FIPS 197. */
  blockCipher(name: BlockCipherName, key: Uint8Array): BlockCipher
  /**
   * A mode over a block cipher. Keys: `ecb`, `cbc`, `ctr` 16, 24, 32 bytes; `xts` two such keys of one size, one after the
   * other; `lrw` one, and then the 16 bytes of the tweak key: its IVs are the indices of blocks, big-endian;
   * `adiantum` 32 bytes, from which all keys are made, that of AES-256 too: its IVs are 32 bytes.
   */
  sectorCipher(name: SectorCipherName, key: Uint8Array): SectorCipher
  /**
   * `aes-gcm` and `aes-ccm` 16, 24, 32 bytes; `chacha20-poly1305` 32 bytes. Tags are always 16 bytes, IVs 12, those of
   * `aes-ccm` 11: in RFC 4309, 3 bytes of salt and then the IV proper.
   */
  aeadCipher(name: AeadName, key: Uint8Array): AeadCipher
  /** HMAC over the ciphertext of a sector cipher: dm-crypt's `authenc(hmac(hash),mode(aes))`. */
  authenc(options: AuthencOptions): AeadCipher
  hash(name: HashName): UnitHash
  /** RFC 2104. A key of any length. */
  hmac(name: HmacHashName, key: Uint8Array): UnitHash
}

export type BlockCipherName = "aes"
export type SectorCipherName =
  | "aes-ecb"
  | "aes-cbc"
  | "aes-ctr"
  | "aes-xts"
  | "aes-lrw"
  | "adiantum-xchacha12"
  | "adiantum-xchacha20"
export type AeadName = "aes-gcm" | "aes-ccm" | "chacha20-poly1305"
/** As the Linux crypto API names them: its `crc32` starts with 0 and ends without a XOR, and its `xxhash64` has seed 0. */
export type HashName = HmacHashName | "crc32" | "crc32c" | "xxhash64"
/** The hashes that HMAC takes: all but the checksums. */
export type HmacHashName =
  | "md5"
  | "rmd160"
  | "sha1"
  | "sha224"
  | "sha256"
  | "sha384"
  | "sha512"
  | "sha3-224"
  | "sha3-256"
  | "sha3-384"
  | "sha3-512"
  | "blake2b-256"
  | "blake2b-512"
  | "blake2s-256"

export interface BlockCipher {
  readonly blockSize: number
  /** Each block on its own; lengths are multiples of `blockSize`. */
  encryptBlocks(source: Uint8Array, target: Uint8Array): void
  decryptBlocks(source: Uint8Array, target: Uint8Array): void
  destroy(): void
}

export interface SectorCipher {
  /** Bytes of IV per sector: 16; 0 for ECB, 32 for Adiantum. */
  readonly ivSize: number
  /** `ivs` holds one IV per sector of `sectorSize` bytes (a multiple of 16, at most 1 MiB). */
  encryptSectors(source: Uint8Array, target: Uint8Array, sectorSize: number, ivs: Uint8Array): void
  decryptSectors(source: Uint8Array, target: Uint8Array, sectorSize: number, ivs: Uint8Array): void
  destroy(): void
}

/**
 * The units of one AEAD request: `ivs`, `aads` and `tags` hold one piece of equal size per unit, and `tags` says how many
 * units there are. `authenc` takes a `unitSize` as its cipher takes sectors; an AEAD takes any below 4 GiB, 0 too.
 */
export interface AeadBatch {
  readonly source: Uint8Array
  readonly target: Uint8Array
  readonly unitSize: number
  readonly ivs: Uint8Array
  readonly aads: Uint8Array
  readonly tags: Uint8Array
}

export interface AeadCipher {
  readonly ivSize: number
  /** Bytes of tag per unit: 16, or for `authenc` the whole digest unless asked for less. */
  readonly tagSize: number
  /** Encrypts every unit and fills `tags`. */
  encryptUnits(batch: AeadBatch): void
  /**
   * Verifies and decrypts. Returns -1, or the index of the first unit that failed: then the units before it are
   * decrypted in `target` and the rest of `target` holds nothing that was not verified.
   */
  decryptUnits(batch: AeadBatch): number
  destroy(): void
}

export interface AuthencOptions {
  readonly hash: HmacHashName
  readonly macKey: Uint8Array
  readonly cipher: SectorCipherName
  readonly cipherKey: Uint8Array
  /** Bytes of a tag: 16 at least, the whole digest if not given. Fewer are too easily guessed (RFC 2104, 5). */
  readonly tagSize?: number | undefined
}

/**
 * What is hashed for each unit: `prefix`, the unit's own piece of `heads`, the unit, `suffix`. Absent parts are empty;
 * the length of the tags says how many units there are.
 */
export interface HashBatch {
  readonly data: Uint8Array
  readonly unitSize: number
  readonly prefix?: Uint8Array | undefined
  readonly heads?: Uint8Array | undefined
  readonly suffix?: Uint8Array | undefined
  /** Bytes of a unit's tag: the start of its digest, or all of it with zeroes behind. `digestSize` if not given. */
  readonly tagSize?: number | undefined
}

/** A hash, a keyed hash or a checksum. Digests of checksums are little-endian: 4 bytes, 8 of xxhash64. */
export interface UnitHash {
  readonly digestSize: number
  /** The digest of the parts one after the other, in fresh memory. */
  digest(...parts: readonly Uint8Array[]): Uint8Array
  /** The tags of all units, one after the other, into `tags`. */
  digestUnits(batch: HashBatch, tags: Uint8Array): void
  /**
   * The index of the first unit whose tag is not what `tags` holds for it; -1 if there is none. Keyed tags are compared
   * whole and in constant time.
   */
  verifyUnits(batch: HashBatch, tags: Uint8Array): number
  destroy(): void
}
