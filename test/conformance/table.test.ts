import { cryptWord } from "@blockstrata/crypt"
import { openTable, parseTable } from "@blockstrata/mapper"
import { linearWord, stripedWord } from "@blockstrata/targets"
import { conformEverywhere, conformStack, type Step } from "./stack.ts"

const SECTOR = 512
/** Sectors of a stripe. */
const CHUNK = 8
const key = "00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f"
const words = [linearWord, stripedWord, cryptWord]

/** Four ranges of one device, none of them where it lies below. */
function tableStep(): Step {
  const quarter = (size: number) => Math.floor(size / SECTOR / 4 / (2 * CHUNK)) * 2 * CHUNK
  return {
    // The first of five places stays free of ranges, and so does the end.
    lowerSize: (size) => size + quarter(size) * SECTOR + 8192,
    async open(lower, size) {
      const length = quarter(size)
      const rest = size / SECTOR - 3 * length
      const text = [
        `0 ${length} linear disk.img ${3 * length + 8}`,
        `${length} ${length} crypt aes-xts-plain64 ${key} 0 disk.img ${2 * length + 8}`,
        `${2 * length} ${length} striped 2 ${CHUNK} disk.img 8 disk.img ${length + 8}`,
        `${3 * length} ${rest} crypt aes-cbc-essiv:sha256 ${key} 64 disk.img ${4 * length + 8}`,
      ].join("\n")
      return (await openTable(parseTable(text, words), { openOperand: async () => lower })).device
    },
  }
}

conformEverywhere("a table of four ranges", tableStep, {
  secrets: [Uint8Array.from(key.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))],
})
conformStack("a table of four ranges over blocks of 4096", () => [tableStep()], { medium: { blockSize: 4096 } })
