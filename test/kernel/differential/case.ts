import type { SeededRandom } from "@blockstrata/testkit"

/** What a line stands on; lines name it as their operand. */
export interface Medium {
  readonly name: string
  /** Bytes: 512 or 4096. */
  readonly blockSize: number
  /** Before anything is opened. */
  readonly content: Uint8Array
}

/** A device between a medium and the line that is compared. */
export interface LowerLine {
  readonly name: string
  readonly line: string
}

export interface KeyringKey {
  readonly type: string
  readonly description: string
  readonly bytes: Uint8Array
}

/** Bytes of the device. Written bytes come from the pool, at `poolOffset`. */
export type Step =
  | { readonly kind: "flush" }
  | { readonly kind: "write"; readonly offset: number; readonly length: number; readonly poolOffset: number }
  | { readonly kind: "read" | "zero" | "discard"; readonly offset: number; readonly length: number }

/** A table line and what it is tried on. */
export interface Setup {
  readonly line: string
  readonly media: readonly Medium[]
  readonly lowers?: readonly LowerLine[]
  readonly keys?: readonly KeyringKey[]
  readonly isReadOnly?: boolean
  /** Linux writes and this library only reads: what is written has to be read here from Linux's medium. */
  readonly isReadOnlyHere?: boolean
  /** Randomness is stored: media are compared by opening Linux's here. */
  readonly isRandomized?: boolean
  /** The portable engine does the work here, instead of Node's. */
  readonly isPortable?: boolean
  /** What was changed on the medium so that the line may be refused, in words. */
  readonly damage?: string | undefined
  /** Whether this spoilt form of the line stores randomness although the line does not: it is left out then. */
  readonly isSpoiltToRandom?: (line: string) => boolean
  /** Bytes of the device, and of its blocks: where the requests go. */
  readonly size: number
  readonly blockSize: number
  readonly canDiscard?: boolean
}

/** What a generator chose: cheap, so that many can be drawn until one holds a word that is wanted. */
export interface Draft {
  /** As in the family's `coverage`. */
  readonly words: readonly string[]
  /** Makes the media. */
  build(): Promise<Setup>
}

/** Lines of one kind. A new target of a table is a new family, beside the others and in their list. */
export interface Family {
  readonly name: string
  /** Share of the lines, relative to the other families. */
  readonly weight: number
  /** All that must occur in lines that were taken; from what the parsers know, so that a new word is missed. */
  readonly coverage: readonly string[]
  draw(random: SeededRandom): Draft
}

export interface Case extends Setup {
  readonly index: number
  readonly family: string
  readonly words: readonly string[]
  readonly steps: readonly Step[]
  /** How a good line was changed; undefined for a good one. */
  readonly mutation: string | undefined
}

/** What became of a step: which bytes, zeroes where nothing could be read, and where that was; or a word. */
export type StepOutcome =
  | { readonly kind: "read"; readonly content: Uint8Array; readonly badOffsets: readonly number[] }
  | { readonly kind: "done" | "io" | "unsupported" | "read-only" | "other"; readonly detail?: string }

/** What became of a line, in the kernel or here. */
export interface Outcome {
  /** `unbuilt`: only here. */
  readonly verdict: "taken" | "refused" | "unbuilt"
  /** Why it was not taken. */
  readonly reason?: string | undefined
  /** The line with what the volume says, keys shown. */
  readonly printed?: string | undefined
  /** `SIZE BLOCK_SIZE`, bytes. */
  readonly geometry?: string | undefined
  readonly steps: readonly StepOutcome[]
  /** Afterwards, in the order of the case. */
  readonly media: readonly Uint8Array[]
}

/** Bytes that writes take their data from. */
export const POOL_SIZE: number = 1024 * 1024

/** Changes one byte of `bytes` between these places. */
export function flipIn(random: SeededRandom, bytes: Uint8Array, from: number, to: number): void {
  if (to <= from) return
  const at = from + random.below(to - from)
  bytes[at] = bytes[at]! ^ (1 + random.below(255))
}

/** True in `part` of `whole` draws. */
export function isChance(random: SeededRandom, part: number, whole: number): boolean {
  return random.below(whole) < part
}

/** Some of the items, in another order. */
export function pickSome<Item>(random: SeededRandom, items: readonly Item[], part: number, whole: number): Item[] {
  return random.shuffle(items.filter(() => isChance(random, part, whole)))
}
