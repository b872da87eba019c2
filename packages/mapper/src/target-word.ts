import type { TableWord } from "@blockstrata/device"
import { tableError } from "./table-error.ts"

/** Targets that Linux knows, built here or not: 6.1, with Debian's and later kernels' in one list. */
const LINUX_WORDS: ReadonlySet<string> = new Set([
  ...["linear", "striped", "zero", "error", "crypt", "integrity", "verity"],
  ...["snapshot", "snapshot-origin", "snapshot-merge", "clone", "mirror", "raid", "delay", "flakey", "dust"],
  ...["log-writes", "cache", "thin", "thin-pool", "era", "writecache", "zoned", "vdo", "pcache"],
  ...["multipath", "switch", "unstriped", "ebs", "inlinecrypt"],
])

/** Longest name of a target in the kernel's interface, in bytes. */
const WORD_LENGTH_MAX = 15

/**
 * The word of a line among those that are built here.
 *
 * @throws BlockError `UNSUPPORTED` naming the word where Linux knows it; `INVALID` where it does not.
 */
export function findWord(text: string, words: readonly TableWord[]): TableWord {
  const found = words.find(({ word }) => word === text)
  if (found !== undefined) return found
  if (LINUX_WORDS.has(text)) throw tableError("UNSUPPORTED", `the target ${text} is not built here`)
  // A longer one is no target's name, and may be what should stay unseen: a key in the wrong place.
  const shown = text.length <= WORD_LENGTH_MAX ? ` ${JSON.stringify(text)}` : ""
  throw tableError("INVALID", `unknown target${shown}`)
}
