/**
 * The contract between layers. Every offset and length is in bytes; a sector (512 bytes) is spoken only by table
 * lines and on-disk formats. `docs/device-contract.md` explains it in prose.
 */

/** What a device can do, as opened. */
export interface Features {
  /** Writing is possible; false on a read-only opening. */
  readonly write: boolean
  /** `discard` is passed on to the medium. Never emulated. */
  readonly discard: boolean
  /** `writeZeroes` costs less than writing zeroes. It works on every writable device. */
  readonly writeZeroes: boolean
  /** A write with `fua` is durable when it settles, without a flush of everything else. */
  readonly fua: boolean
  /** Bytes: the largest aligned piece, tags included, that a crash leaves old or new; 0 if there is none. */
  readonly atomicSize: number
  /** Bytes: the request size at which this device works well. A hint. */
  readonly optimalSize: number
}

/** One device below another, and what it is for: `data`, `hash`, `meta`, `stripe0` ... Roles are unique per layer. */
export interface Lower {
  readonly role: string
  readonly device: BlockDevice
}

/** Bytes of the lower device named by `role`, and what they are to the layer: its data, if not said otherwise. */
export interface Extent {
  readonly role: string
  readonly offset: number
  readonly length: number
  readonly kind?: "data" | "tag" | "hash"
}

/** A layer as seen by whoever walks a stack. Holds no key material. */
export interface Layer {
  readonly name: string
  readonly lowers: readonly Lower[]
  /** Which bytes below hold these: data, tag and hash path. The argument range is block-aligned and in range. */
  extents(offset: number, length: number): readonly Extent[]
  /** Counters and parameters for people and for dm's STATUS line. Never keys. */
  status(): Readonly<Record<string, string | number>>
}

/** A run of bytes and what the medium says of it. `hole` and `zero` read as zeroes. */
export interface BlockStatus {
  readonly offset: number
  readonly length: number
  readonly kind: "allocated" | "hole" | "zero"
}

export interface WriteOptions {
  /** One tag of `tagSize` bytes per block; without it the stored tags stay as they are. */
  readonly tags?: Uint8Array | undefined
  /** Durable when the request settles. */
  readonly fua?: boolean | undefined
}

export interface WriteZeroesOptions {
  readonly fua?: boolean | undefined
  /** The medium may give the space up, as long as it reads back as zeroes. */
  readonly mayDiscard?: boolean | undefined
}

/**
 * Anything with bytes in blocks.
 *
 * Guarantees: per block, a read that overlaps a write in flight returns the old or the new block; a request issued
 * after another has settled sees its effect; when `flush` resolves, every write, writeZeroes and discard that had
 * settled before the call is durable. A request settles only when nothing below can still touch its buffers or the
 * medium. Requests have any length; several blocks in one request are the way to speed.
 *
 * Errors: misuse is a `TypeError` or `RangeError`; the world is a `BlockError`. All are rejections.
 */
export interface BlockDevice extends AsyncDisposable {
  /** Bytes; fixed for the device's life, a multiple of `blockSize`. */
  readonly size: number
  /** Bytes; a power of two, 512 ... 1 MiB: the unit of every offset and length. */
  readonly blockSize: number
  /** Bytes of tag that travel with each block; 0 on most devices. */
  readonly tagSize: number
  readonly features: Features
  readonly layer: Layer
  /** Fills `buffer` (and `tags`, if given) completely, or rejects and zeroes both. */
  read(offset: number, buffer: Uint8Array, tags?: Uint8Array): Promise<void>
  /** On failure each block is old, new or, below `features.atomicSize`, unreadable. `data` is never modified. */
  write(offset: number, data: Uint8Array, options?: WriteOptions): Promise<void>
  flush(): Promise<void>
  /** Gives up the content of the range; what it reads as afterwards is the device's matter. */
  discard(offset: number, length: number): Promise<void>
  writeZeroes(offset: number, length: number, options?: WriteZeroesOptions): Promise<void>
  /** Ranges in ascending order that cover the request exactly. One allocated range where nothing better is known. */
  blockStatus(offset: number, length: number): Promise<BlockStatus[]>
  /** Refuses new requests, waits for those in flight, flushes, closes what it owns. Idempotent. */
  close(): Promise<void>
}

/** Things worth telling while a device works; never an answer to a request. */
export interface DeviceEvent {
  readonly kind: "corruption" | "repaired" | "degraded" | "recovered" | "limit"
  /** `layer.name` of the device that tells. */
  readonly device: string
  readonly message: string
  readonly offset?: number
  readonly length?: number
}

export type EventListener = (event: DeviceEvent) => void

/** Options of verbs that take long. Both are looked at between requests. */
export interface LongVerbOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}
