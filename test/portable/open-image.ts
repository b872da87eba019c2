import { cryptWord } from "@blockstrata/crypt"
import { memoryDevice, type TableWord } from "@blockstrata/device"
import { integrityWord } from "@blockstrata/integrity"
import { openTable, parseTable } from "@blockstrata/mapper"
import { defaultEngine } from "@blockstrata/primitives"
import { errorWord, linearWord, stripedWord, zeroWord } from "@blockstrata/targets"
import { verityWord } from "@blockstrata/verity"

const words: readonly TableWord[] = [cryptWord, integrityWord, verityWord, linearWord, stripedWord, zeroWord, errorWord]

/** The engine that the packages chose for this host. */
export const engineName: string = defaultEngine.name

/** Reads the whole volume of a table whose every file operand is `image`. */
export async function readVolume(table: string, image: ArrayLike<number>): Promise<Uint8Array> {
  const { device } = await openTable(parseTable(table, words), {
    // A copy: `image` may come from another realm, whose Uint8Array is not the one here.
    openOperand: async () => memoryDevice({ bytes: Uint8Array.from(image), readOnly: true }),
    readOnly: true,
  })
  const buffer = new Uint8Array(device.size)
  try {
    await device.read(0, buffer)
  } finally {
    await device.close()
  }
  return buffer
}
