import { cryptWord } from "@blockstrata/crypt"
import type { TableWord } from "@blockstrata/device"
import { integrityWord } from "@blockstrata/integrity"
import { errorWord, linearWord, mirrorWord, stripedWord, zeroWord } from "@blockstrata/targets"
import { delayWord, dustWord, flakeyWord, logWritesWord } from "@blockstrata/targets/faults"
import { verityWord } from "@blockstrata/verity"

/** Every target that a table may name here. A caller's own words go beside them. */
export const standardWords: readonly TableWord[] = [
  cryptWord,
  integrityWord,
  verityWord,
  linearWord,
  stripedWord,
  mirrorWord,
  zeroWord,
  errorWord,
  flakeyWord,
  delayWord,
  dustWord,
  logWritesWord,
]
