import { BlockError, memoryDevice } from "@blockstrata/device"
import { openTable, parseTable, printTable } from "@blockstrata/mapper"
import { delayWord, dustWord, flakeyWord, logWritesWord } from "@blockstrata/targets/faults"

const FAULT_WORDS = [flakeyWord, delayWord, dustWord, logWritesWord]

/**
 * Table lines of the targets that go wrong on purpose, and how Linux 6.1 printed them (`dmsetup table`, without the blank
 * that flakey leaves at the end), or that it refused them. `/dev/img0` has 2048 sectors, `/dev/img1` 4096.
 */
export const FAULT_LINES: readonly (readonly [line: string, printed: string])[] = [
  ["0 2048 flakey /dev/img0 0 1 1", "0 2048 flakey /dev/img0 0 1 1 0"],
  ["0 2048 flakey /dev/img0 0 1 1 0", "0 2048 flakey /dev/img0 0 1 1 0"],
  ["0 2048 flakey /dev/img0 0 1 1 1", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 1 drop_writes", "0 2048 flakey /dev/img0 0 1 1 1 drop_writes"],
  ["0 2048 flakey /dev/img0 0 1 1 1 error_writes", "0 2048 flakey /dev/img0 0 1 1 1 error_writes"],
  ["0 2048 flakey /dev/img0 0 1 1 1 error_reads", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 2 error_reads error_writes", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 2 error_writes error_reads", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 2 error_reads drop_writes", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 2 drop_writes error_writes", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 2 error_writes drop_writes", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 2 drop_writes drop_writes", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 2 error_writes error_writes", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 2 error_reads error_reads", "refused"],
  [
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 32 r 1 0",
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 32 r 1 0",
  ],
  [
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 32 w 1 0",
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 32 w 1 0",
  ],
  [
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 32 R 1 0",
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 32 r 1 0",
  ],
  ["0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 32 rw 1 0", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 32 x 1 0", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 0 r 1 0", "refused"],
  [
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 1 r 0 0",
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 1 r 0 0",
  ],
  [
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 1 r 255 0",
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 1 r 255 0",
  ],
  ["0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 1 r 256 0", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 1 r -1 0", "refused"],
  [
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 4294967295 r 1 4294967295",
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 4294967295 r 1 4294967295",
  ],
  ["0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 4294967296 r 1 0", "refused"],
  [
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 1 r 1 4294967296",
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 1 r 1 0",
  ],
  [
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 224 w 0 32",
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 224 w 0 32",
  ],
  ["0 2048 flakey /dev/img0 0 1 1 4 corrupt_bio_byte 1 r 1", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 4 corrupt_bio_byte 1 r 1 0", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 3 corrupt_bio_byte 1 r", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 1 corrupt_bio_byte", "refused"],
  [
    "0 2048 flakey /dev/img0 0 1 1 6 corrupt_bio_byte 32 r 1 0 drop_writes",
    "0 2048 flakey /dev/img0 0 1 1 6 drop_writes corrupt_bio_byte 32 r 1 0",
  ],
  [
    "0 2048 flakey /dev/img0 0 1 1 6 drop_writes corrupt_bio_byte 32 r 1 0",
    "0 2048 flakey /dev/img0 0 1 1 6 drop_writes corrupt_bio_byte 32 r 1 0",
  ],
  [
    "0 2048 flakey /dev/img0 0 1 1 6 corrupt_bio_byte 32 r 1 0 error_writes",
    "0 2048 flakey /dev/img0 0 1 1 6 error_writes corrupt_bio_byte 32 r 1 0",
  ],
  [
    "0 2048 flakey /dev/img0 0 1 1 6 error_writes corrupt_bio_byte 32 r 1 0",
    "0 2048 flakey /dev/img0 0 1 1 6 error_writes corrupt_bio_byte 32 r 1 0",
  ],
  ["0 2048 flakey /dev/img0 0 1 1 6 corrupt_bio_byte 32 w 1 0 drop_writes", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 6 drop_writes corrupt_bio_byte 32 w 1 0", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 6 corrupt_bio_byte 32 w 1 0 error_writes", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 6 error_writes corrupt_bio_byte 32 w 1 0", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 6 corrupt_bio_byte 32 r 1 0 error_reads", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 6 error_reads corrupt_bio_byte 32 r 1 0", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 6 error_reads corrupt_bio_byte 32 w 1 0", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 7 error_reads error_writes corrupt_bio_byte 32 w 1 0", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 7 error_reads drop_writes corrupt_bio_byte 32 r 1 0", "refused"],
  [
    "0 2048 flakey /dev/img0 0 1 1 6 drop_writes drop_writes drop_writes drop_writes drop_writes drop_writes",
    "refused",
  ],
  ["0 2048 flakey /dev/img0 0 1 1 10 corrupt_bio_byte 32 r 1 0 corrupt_bio_byte 32 r 1 0", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 2 random_read_corrupt 5", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 2 random_write_corrupt 5", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 1 DROP_WRITES", "0 2048 flakey /dev/img0 0 1 1 1 drop_writes"],
  ["0 2048 flakey /dev/img0 0 1 1 1 Drop_Writes", "0 2048 flakey /dev/img0 0 1 1 1 drop_writes"],
  [
    "0 2048 flakey /dev/img0 0 1 1 5 CORRUPT_BIO_BYTE 32 r 1 0",
    "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 32 r 1 0",
  ],
  ["0 2048 flakey /dev/img0 0 1 1 1 nosuch", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 1 drop_writes extra", "0 2048 flakey /dev/img0 0 1 1 1 drop_writes"],
  ["0 2048 flakey /dev/img0 0 1 1 0 drop_writes", "0 2048 flakey /dev/img0 0 1 1 0"],
  ["0 2048 flakey /dev/img0 0 1 1 2 drop_writes", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 x", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 -1", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 +1 drop_writes", "refused"],
  ["0 2048 flakey /dev/img0 0 1 1 01 drop_writes", "0 2048 flakey /dev/img0 0 1 1 1 drop_writes"],
  [
    "0 2048 flakey /dev/img0 0 1 1 8 drop_writes drop_writes drop_writes drop_writes drop_writes drop_writes drop_writes drop_writes",
    "refused",
  ],
  ["0 2048 flakey /dev/img0 0 0 0", "refused"],
  ["0 2048 flakey /dev/img0 0 0 1", "0 2048 flakey /dev/img0 0 0 1 0"],
  ["0 2048 flakey /dev/img0 0 1 0", "0 2048 flakey /dev/img0 0 1 0 0"],
  ["0 2048 flakey /dev/img0 0 4294967295 0", "0 2048 flakey /dev/img0 0 4294967295 0 0"],
  ["0 2048 flakey /dev/img0 0 4294967295 1", "refused"],
  ["0 2048 flakey /dev/img0 0 4294967294 1", "0 2048 flakey /dev/img0 0 4294967294 1 0"],
  ["0 2048 flakey /dev/img0 0 4294967296 1", "0 2048 flakey /dev/img0 0 0 1 0"],
  ["0 2048 flakey /dev/img0 0 +1 01", "refused"],
  ["0 2048 flakey /dev/img0 0 -1 1", "refused"],
  ["0 2048 flakey /dev/img0 0 1 x", "refused"],
  ["0 2048 flakey /dev/img0 0 1", "refused"],
  ["0 2048 flakey /dev/img0 0", "refused"],
  ["0 2048 flakey /dev/img0", "refused"],
  ["0 2048 flakey", "refused"],
  ["0 2000 flakey /dev/img0 +5 1 1", "refused"],
  ["0 2000 flakey /dev/img0 05 1 1", "0 2000 flakey /dev/img0 5 1 1 0"],
  ["0 2000 flakey /dev/img0 49 1 1", "refused"],
  ["0 2000 flakey /dev/img0 x 1 1", "refused"],
  ["0 2000 flakey /dev/img0 5x 1 1", "refused"],
  ["0 2000 flakey /dev/img0 18446744073709551615 1 1", "refused"],
  ["0 2000 flakey /dev/nothere 0 1 1", "refused"],
  ["0 2000 flakey /dev/img0 -0 1 1", "refused"],
  ["0 2048 delay /dev/img0 0 5", "0 2048 delay /dev/img0 0 5"],
  ["0 2048 delay /dev/img0 0 0", "0 2048 delay /dev/img0 0 0"],
  ["0 2048 delay /dev/img0 0 5 /dev/img1 0 6", "0 2048 delay /dev/img0 0 5 /dev/img1 0 6"],
  ["0 2048 delay /dev/img0 0 5 /dev/img1 0 6 /dev/img0 0 7", "0 2048 delay /dev/img0 0 5 /dev/img1 0 6 /dev/img0 0 7"],
  ["0 2048 delay /dev/img0 0 5 /dev/img1 0 6 /dev/img1 0 7", "0 2048 delay /dev/img0 0 5 /dev/img1 0 6 /dev/img1 0 7"],
  ["0 2048 delay /dev/img0 0 5 /dev/img1 0 6 /dev/img1 1 7", "0 2048 delay /dev/img0 0 5 /dev/img1 0 6 /dev/img1 1 7"],
  ["0 2048 delay /dev/img0 0 5 /dev/img1 0", "refused"],
  ["0 2048 delay /dev/img0 0 5 /dev/img1", "refused"],
  ["0 2048 delay /dev/img0 0 5 /dev/img1 0 6 /dev/img0", "refused"],
  ["0 2048 delay /dev/img0 0 5 /dev/img1 0 6 /dev/img0 0", "refused"],
  ["0 2048 delay /dev/img0 0 5 /dev/img1 0 6 /dev/img0 0 7 8", "refused"],
  ["0 2048 delay /dev/img0 0", "refused"],
  ["0 2048 delay /dev/img0", "refused"],
  ["0 2048 delay", "refused"],
  ["0 2048 delay /dev/img0 0 x", "refused"],
  ["0 2048 delay /dev/img0 0 -1", "refused"],
  ["0 2048 delay /dev/img0 0 +5", "refused"],
  ["0 2048 delay /dev/img0 0 05", "0 2048 delay /dev/img0 0 5"],
  ["0 2048 delay /dev/img0 0 4294967295", "0 2048 delay /dev/img0 0 4294967295"],
  ["0 2048 delay /dev/img0 0 4294967296", "0 2048 delay /dev/img0 0 0"],
  ["0 2000 delay /dev/img0 48 5", "0 2000 delay /dev/img0 48 5"],
  ["0 2000 delay /dev/img0 49 5", "refused"],
  ["0 2000 delay /dev/img0 +4 5", "refused"],
  ["0 2000 delay /dev/img0 04 5", "0 2000 delay /dev/img0 4 5"],
  ["0 2000 delay /dev/img0 4x 5", "refused"],
  ["0 2000 delay /dev/img0 4 5ms", "refused"],
  ["0 2000 delay /dev/img0 4 5 /dev/img1 49 6", "0 2000 delay /dev/img0 4 5 /dev/img1 49 6"],
  ["0 2000 delay /dev/img0 4 5 /dev/img1 2097 6", "refused"],
  ["0 2000 delay /dev/img0 4 5 /dev/img1 2096 6", "0 2000 delay /dev/img0 4 5 /dev/img1 2096 6"],
  ["0 2000 delay /dev/img0 4 5 /dev/img1 7 6 /dev/img0 2049 1", "refused"],
  ["0 2000 delay /dev/img0 4 5 /dev/nothere 7 6", "refused"],
  ["0 2000 delay /dev/img0 4 5 /dev/img1 x 6", "refused"],
  ["0 2000 delay /dev/img0 4 5 /dev/img1 7 x", "refused"],
  ["0 2000 delay /dev/img0 4 5 /dev/img1 7 6 /dev/img0 x 1", "refused"],
  ["0 2000 delay /dev/img0 4 5 /dev/img1 7 6 /dev/img0 1 x", "refused"],
  ["0 2048 dust /dev/img0 0 512", "0 2048 dust /dev/img0 0 512"],
  ["0 2048 dust /dev/img0 0 1024", "0 2048 dust /dev/img0 0 1024"],
  ["0 2048 dust /dev/img0 0 4096", "0 2048 dust /dev/img0 0 4096"],
  ["0 2048 dust /dev/img0 0 256", "refused"],
  ["0 2048 dust /dev/img0 0 511", "refused"],
  ["0 2048 dust /dev/img0 0 513", "refused"],
  ["0 2048 dust /dev/img0 0 768", "refused"],
  ["0 2048 dust /dev/img0 0 1536", "refused"],
  ["0 2048 dust /dev/img0 0 0", "refused"],
  ["0 2048 dust /dev/img0 0 1073741824", "refused"],
  ["0 2048 dust /dev/img0 0 2147483648", "refused"],
  ["0 2048 dust /dev/img0 0 4294967296", "refused"],
  ["0 2048 dust /dev/img0 0 1048576", "0 2048 dust /dev/img0 0 1048576"],
  ["0 2048 dust /dev/img0 0 2097152", "refused"],
  ["0 2048 dust /dev/img0 0", "refused"],
  ["0 2048 dust /dev/img0", "refused"],
  ["0 2048 dust", "refused"],
  ["0 2048 dust /dev/img0 0 512 1", "refused"],
  ["0 2048 dust /dev/img0 0 +512", "0 2048 dust /dev/img0 0 512"],
  ["0 2048 dust /dev/img0 0 0512", "0 2048 dust /dev/img0 0 512"],
  ["0 2048 dust /dev/img0 0 512x", "refused"],
  ["0 2048 dust /dev/img0 0 x", "refused"],
  ["0 2048 dust /dev/img0 0 -512", "refused"],
  ["0 2040 dust /dev/img0 8 4096", "0 2040 dust /dev/img0 8 4096"],
  ["0 2040 dust /dev/img0 08 4096", "0 2040 dust /dev/img0 8 4096"],
  ["0 2040 dust /dev/img0 +8 4096", "refused"],
  ["0 2040 dust /dev/img0 8x 4096", "refused"],
  ["0 2041 dust /dev/img0 7 4096", "0 2041 dust /dev/img0 7 4096"],
  ["0 2041 dust /dev/img0 8 4096", "refused"],
  ["0 2041 dust /dev/nothere 7 4096", "refused"],
  ["0 100 dust /dev/img0 7 4096", "0 100 dust /dev/img0 7 4096"],
  ["0 8 dust /dev/img0 0 8192", "refused"],
  ["0 2048 log-writes /dev/img0 /dev/img1", "0 2048 log-writes /dev/img0 /dev/img1"],
  ["0 2000 log-writes /dev/img0 /dev/img1", "0 2000 log-writes /dev/img0 /dev/img1"],
  ["0 2049 log-writes /dev/img0 /dev/img1", "refused"],
  ["0 2096 log-writes /dev/img1 /dev/img0", "0 2096 log-writes /dev/img1 /dev/img0"],
  ["0 2048 log-writes /dev/img0 /dev/img0", "0 2048 log-writes /dev/img0 /dev/img0"],
  ["0 2048 log-writes /dev/img0", "refused"],
  ["0 2048 log-writes", "refused"],
  ["0 2048 log-writes /dev/img0 /dev/img1 0", "0 2048 log-writes /dev/img0 /dev/img1"],
  ["0 2048 log-writes /dev/img0 0 /dev/img1", "refused"],
  ["0 2048 log-writes /dev/img0 /dev/img1 x y", "0 2048 log-writes /dev/img0 /dev/img1"],
  ["0 2048 log-writes /dev/nothere /dev/img1", "refused"],
  ["0 2048 log-writes /dev/img0 /dev/nothere", "refused"],
]

/** Numbers of more than 32 bits, of which the kernel drops the rest, so that a line means something else: refused by name. */
export const UNSUPPORTED_LINES: ReadonlySet<string> = new Set([
  "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 4294967296 r 1 0",
  "0 2048 flakey /dev/img0 0 1 1 5 corrupt_bio_byte 1 r 1 4294967296",
  "0 2048 flakey /dev/img0 0 4294967296 1",
  "0 2048 delay /dev/img0 0 4294967296",
])

/** Bytes of the devices that the lines name. */
export const FAULT_LINE_SIZES: Readonly<Record<string, number>> = { "/dev/img0": 1024 * 1024, "/dev/img1": 2048 * 1024 }

/** What became of a line: how it is printed, `refused`, or the code of an error that is neither. */
export async function verdictHere(line: string): Promise<string> {
  try {
    const table = parseTable(line, FAULT_WORDS)
    const opened = await openTable(table, {
      async openOperand({ path }) {
        const size = FAULT_LINE_SIZES[path]
        if (size === undefined) throw new BlockError("INVALID", `no such device: ${path}`)
        return memoryDevice({ size })
      },
    })
    return printTable(opened.table, { showKeys: true })
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    return error.code === "INVALID" ? "refused" : error.code
  }
}
