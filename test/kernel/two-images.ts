import { createHash } from "node:crypto"
import { type BlockDevice, BlockError, memoryDevice, type TableWord } from "@blockstrata/device"
import { openTable, parseTable } from "@blockstrata/mapper"

/** A table over `/dev/img0` and `/dev/img1`, as the kernel's script has them, in memory. */
export async function openOnImages(
  text: string,
  words: readonly TableWord[],
  images: readonly Uint8Array[],
): Promise<BlockDevice> {
  const { device } = await openTable(parseTable(text, words), {
    async openOperand({ path }) {
      const bytes = images[["/dev/img0", "/dev/img1"].indexOf(path)]
      if (bytes === undefined) throw new BlockError("INVALID", `no such device: ${path}`)
      return memoryDevice({ bytes })
    },
  })
  return device
}

/** As `sha256sum` prints it of its standard input. */
export const sha256sum = (bytes: Uint8Array): string => `${createHash("sha256").update(bytes).digest("hex")}  -`
