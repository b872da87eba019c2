import type { BlockDevice } from "@blockstrata/device"

export interface OpenFileOptions {
  readonly readOnly: boolean
  /** Bytes; with `tagSize`, the block size of a device whose tags stand in a metadata area after the data. */
  readonly blockSize?: number | undefined
  readonly tagSize?: number | undefined
}

/** How a path of a table or an image becomes a device: the host's files, or whatever a caller puts in their place. */
export type OpenFile = (path: string, options: OpenFileOptions) => Promise<BlockDevice>
