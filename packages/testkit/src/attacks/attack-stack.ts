import type { BlockDevice, Runtime } from "@blockstrata/device"
import type { DeviceWish } from "../conformance/conformance-options.ts"
import type { AttackedVolume } from "./attacked-volume.ts"

/**
 * Who opens a stack. The `owner` writes. The `reader` is the owner later, after the attack. The `attacker` knows every
 * algorithm and every public value, and has to guess what is secret: a stack gives this party other keys.
 */
export type Party = "owner" | "reader" | "attacker"

/** What the lab asks of a stack. */
export interface AttackWish extends Pick<DeviceWish, "medium" | "isNew"> {
  readonly party: Party
  /**
   * What the owner keeps where no attacker reaches, besides keys: a root hash, an anchor. The owner's device may write
   * to it until it is closed.
   */
  readonly kept: Map<string, Uint8Array>
  readonly runtime: Runtime
}

/**
 * A stack to attack: a column of the matrix. Volumes are small, 8 to 64 blocks, because every run reads all of one, twice.
 */
export interface AttackStack {
  /** The head of the column. */
  readonly name: string
  /**
   * Opens the stack on its media, formatting them first where `isNew`; the lab closes what it gives. A stack that its
   * reader cannot write gives its owner a device that publishes the new content when it is closed.
   */
  readonly create: (wish: AttackWish) => Promise<BlockDevice> | BlockDevice
  /** The owner keeps something besides keys (`AttackWish.kept`). False if not given. */
  readonly keepsElsewhere?: boolean | undefined
  /** A tag of nothing but this byte says that its block was never written, or was discarded. 0 if not given. */
  readonly blankTagByte?: number | undefined
  /** Metadata that the reader believes; without it what is about headers does not apply. */
  readonly header?: AttackedHeader | undefined
  /** Ways to have a journal replayed that the owner did not leave there. */
  readonly journal?: readonly Tampering[] | undefined
  /** Ways to claim a state in which the reader is to take blocks as they are, and make new tags for them. */
  readonly flags?: readonly Tampering[] | undefined
}

export interface AttackedHeader {
  readonly medium: string
  /** Little-endian numbers; `offset` and `size` are bytes of the medium. */
  readonly fields: readonly HeaderField[]
  /** Changes that would have the reader check less, or something else. */
  readonly downgrades: readonly Tampering[]
}

export interface HeaderField {
  readonly name: string
  readonly offset: number
  readonly size: 1 | 2 | 4 | 8
}

/** One way of an attack: it changes `volume.media`, and may use all that the attacker has collected. */
export interface Tampering {
  readonly name: string
  readonly change: (volume: AttackedVolume) => void
}
