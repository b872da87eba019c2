/** One line of shipping source changed, as a bug that somebody has paid for would change it. */
export interface Mutant {
  /** The bug that it stands for: what such code does wrong. */
  readonly bug: string
  /** From the root of the project. */
  readonly file: string
  /** Stands in the file exactly once. More than one line where a line alone is not unique. */
  readonly find: string
  /** Instead of `find`: one line of the file is another, is gone, or is new. */
  readonly replace: string
  /** Files that should notice, tried in this order: the first that fails ends it. */
  readonly tests: readonly [string, ...string[]]
  /** The tests never end. Elsewhere a run that does not end is a failure of the list, not a kill. */
  readonly hangs?: true
}

/** What a mutant is called in reports. */
export function placeOf({ file, bug }: Mutant): string {
  return `${file}: ${bug}`
}

/** The file with the bug in it. @throws if the list is out of date, or changes more than a line. */
export function mutate(source: string, { bug, find, replace }: Mutant): string {
  const count = source.split(find).length - 1
  if (count !== 1) throw new Error(`mutant "${bug}": its text stands ${count} times in the file, expected once`)
  const mutated = source.replace(find, () => replace)
  const changed = changedLines(source, mutated)
  if (changed.before > 1 || changed.after > 1 || changed.before + changed.after === 0)
    throw new Error(`mutant "${bug}": ${changed.before} lines become ${changed.after}, expected one line`)
  return mutated
}

/** How many lines there are between what both texts begin and end with. */
function changedLines(before: string, after: string): { before: number; after: number } {
  const [left, right] = [before.split("\n"), after.split("\n")]
  const shorter = Math.min(left.length, right.length)
  let head = 0
  while (head < shorter && left[head] === right[head]) head++
  let tail = 0
  while (tail < shorter - head && left.at(-1 - tail) === right.at(-1 - tail)) tail++
  return { before: left.length - head - tail, after: right.length - head - tail }
}
