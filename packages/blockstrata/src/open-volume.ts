import type { BlockDevice, EventListener, Runtime, TableWord } from "@blockstrata/device"
import { openTable, parseTable, printTable } from "@blockstrata/mapper"
import type { Engine } from "@blockstrata/primitives"
import { openFile as openHostFile } from "#files"
import type { OpenFile } from "./file-opener.ts"
import { type ImageSource, pathOfOperand, tableOfImage } from "./image-table.ts"
import { standardWords } from "./standard-words.ts"

export interface OpenVolumeOptions {
  /** Nothing is written to any file, whatever is asked of the device. */
  readonly readOnly?: boolean | undefined
  /** Keys by description, for lines that hold `:SIZE:TYPE:DESCRIPTION` instead of a key. */
  readonly keys?: ReadonlyMap<string, Uint8Array> | undefined
  /** Targets of the caller's own, beside the standard ones; one of the same word takes their place. */
  readonly words?: readonly TableWord[] | undefined
  /** What a path means: files of the host if not given. */
  readonly openFile?: OpenFile | undefined
  readonly engine?: Engine | undefined
  readonly runtime?: Runtime | undefined
  readonly onEvent?: EventListener | undefined
}

/** An opened volume. The table is not a property, so that no inspection of a volume shows the keys in it. */
export interface Volume {
  readonly device: BlockDevice
  /** The table lines, as `dmsetup table` prints them: keys as zeros of the same length unless `showKeys`. */
  printTable(options?: { readonly showKeys?: boolean | undefined }): string
}

/**
 * Opens a volume: device-mapper lines, or an image known by its superblock. The caller closes `volume.device`, which
 * closes every file below.
 *
 * A table is one line, several lines (ranges of one device), or several devices in dmsetup's concise form, the last of
 * which is the volume. Operands are paths, names of earlier devices, or `mem:SIZE`; `,blocksize=N,tagsize=M` behind a path
 * or memory says that it carries inline tags.
 *
 * @throws BlockError `INVALID` for what Linux refuses too, `UNSUPPORTED` naming what is not built here, `CORRUPT` for
 * broken metadata, and what opening files throws. Then nothing stays open.
 */
export async function openVolume(
  source: ({ readonly table: string } | ImageSource) & OpenVolumeOptions,
): Promise<Volume> {
  const { readOnly = false, keys, words = [], openFile = openHostFile, engine, runtime, onEvent } = source
  const allWords = [...words, ...standardWords]
  const text = "table" in source ? source.table : await tableOfImage(source, openFile)
  const { device, table } = await openTable(parseTable(text, allWords), {
    openOperand: ({ path, blockSize, tagSize }, options) =>
      openFile("table" in source ? path : pathOfOperand(source, path), { ...options, blockSize, tagSize }),
    readOnly,
    keys: keys && ((description) => keys.get(description)),
    engine,
    runtime,
    onEvent,
  })
  return { device, printTable: ({ showKeys = false } = {}) => printTable(table, { showKeys }) }
}
