import { type BlockDevice, BlockError, type BlockStatus, settleAll } from "@blockstrata/device"

/** A part of a request on one range: `length` bytes from `rangeOffset` of that range, `offset` in the whole device. */
export interface RangePiece {
  readonly device: BlockDevice
  readonly role: string
  readonly offset: number
  readonly rangeOffset: number
  readonly length: number
}

/** The ranges that a request touches, found by halving: a table may have very many lines. */
export function splitByRange(
  ranges: readonly BlockDevice[],
  starts: readonly number[],
  offset: number,
  length: number,
): RangePiece[] {
  let index = 0
  for (let high = starts.length; high - index > 1; ) {
    const middle = Math.floor((index + high) / 2)
    if ((starts[middle] ?? 0) <= offset) index = middle
    else high = middle
  }
  const pieces: RangePiece[] = []
  const end = offset + length
  for (let position = offset; position < end; index += 1) {
    const device = ranges[index] as BlockDevice
    const start = starts[index] ?? 0
    const pieceLength = Math.min(start + device.size, end) - position
    pieces.push({ device, role: `range${index}`, offset: position, rangeOffset: position - start, length: pieceLength })
    position += pieceLength
  }
  return pieces
}

/**
 * Runs the pieces side by side. Where some fail, throws the lowest run of blocks, over the ranges' borders as far as
 * the next range failed from its start for the same reason.
 */
export async function settlePieces(
  blockSize: number,
  pieces: readonly RangePiece[],
  request: (piece: RangePiece) => Promise<void>,
): Promise<void> {
  const failures: { piece: RangePiece; error: unknown }[] = []
  const attempts = pieces.map(async (piece) => {
    try {
      await request(piece)
    } catch (error) {
      failures.push({ piece, error })
    }
  })
  await settleAll(attempts)
  if (failures.length === 0) return
  failures.sort((left, right) => left.piece.offset - right.piece.offset)
  const bug = failures.find(({ error }) => !(error instanceof BlockError))
  if (bug !== undefined) throw bug.error
  let run: { error: BlockError; offset: number; end: number } | undefined
  for (const { piece, error } of failures) {
    if (!(error instanceof BlockError)) continue
    const offset = piece.offset + Math.max((error.offset ?? piece.rangeOffset) - piece.rangeOffset, 0)
    const end = Math.min(offset + (error.length ?? piece.length), piece.offset + piece.length)
    if (run === undefined) run = { error, offset, end }
    else if (run.end === offset && run.error.code === error.code) run.end = end
    else break
  }
  if (run === undefined) return
  const offset = run.offset - (run.offset % blockSize)
  const length = Math.ceil((run.end - offset) / blockSize) * blockSize
  const message = `table: ${run.error.code} in ${run.error.device ?? "a range"} below offset ${offset}`
  throw new BlockError(run.error.code, message, { offset, length, cause: run.error })
}

/** What the ranges know of their pieces; `undefined` where that does not begin and end on blocks. */
export async function joinStatus(blockSize: number, pieces: readonly RangePiece[]): Promise<BlockStatus[] | undefined> {
  const result: BlockStatus[] = []
  for (const piece of pieces) {
    const ranges = await piece.device.blockStatus(piece.rangeOffset, piece.length)
    for (const range of ranges) result.push({ ...range, offset: range.offset - piece.rangeOffset + piece.offset })
  }
  return result.every((range) => range.offset % blockSize === 0) ? result : undefined
}
