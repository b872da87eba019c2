import { BlockError } from "@blockstrata/device"
import { type SeededRandom, seededRandom } from "@blockstrata/testkit"
import { type Case, type Draft, type Family, isChance, type Outcome, POOL_SIZE, type Setup } from "./case.ts"
import { runHere } from "./here.ts"
import { mutate } from "./mutation.ts"
import { drawSteps } from "./steps.ts"

/** A case and what became of it here. */
export interface TriedCase {
  readonly each: Case
  readonly here: Outcome
}

export interface LineSet {
  /** As many as asked for: taken or refused here. */
  readonly lines: readonly TriedCase[]
  /**
   * Spoilt lines beside them that are not built here. They are not compared: what a parser refuses as not built, Linux
   * may refuse for what it finds on the medium.
   */
  readonly unbuiltCount: number
  /** How often each word of each family occurs in good lines. */
  readonly counts: ReadonlyMap<string, number>
  readonly pool: Uint8Array
}

/** One of so many lines is spoilt; most of these are refused, and no more are kept than the share of them says. */
const SPOILT_SHARE = 4
const REFUSED_SHARE = 0.22
const TRY_COUNT = 3000
/** Bytes that the guest reads at a time. */
const READ_SIZE_MAX = 1024 * 1024

/** Draws `count` lines, so that each word that a family knows occurs at least `wantedCount` times. */
export async function drawLines(
  families: readonly Family[],
  count: number,
  wantedCount: number,
  seed: number,
): Promise<LineSet> {
  const pool = seededRandom(seed, "pool").bytes(POOL_SIZE)
  const counts = new Map(families.flatMap(({ name, coverage }) => coverage.map((word) => [`${name}: ${word}`, 0])))
  const lines: TriedCase[] = []
  let unbuiltCount = 0
  let refusedCount = 0
  for (let index = 0; lines.length < count; index++) {
    if (index > 20 * count) throw new Error(`nearly nothing is built; missing: ${missing(counts, wantedCount)}`)
    const random = seededRandom(seed, `line ${index}`)
    const wantedOf = ({ name, coverage }: Family) =>
      coverage.find((word) => (counts.get(`${name}: ${word}`) ?? 0) < wantedCount)
    const lacking = families.filter((each) => wantedOf(each) !== undefined)
    const family = drawFamily(random, lacking.length > 0 && isChance(random, 1, 2) ? lacking : families)
    const wanted = wantedOf(family)
    const isSpoilt = isChance(random, 1, SPOILT_SHARE)
    const draft = drawWith(random, family, isSpoilt ? undefined : wanted)
    const tried = await tryDraft(draft, { index, family: family.name, isSpoilt, random, pool })
    if (tried === undefined) continue
    if (tried.here.verdict === "unbuilt") {
      unbuiltCount += 1
      continue
    }
    if (tried.here.verdict === "refused") {
      refusedCount += 1
      if (refusedCount > count * REFUSED_SHARE) continue
    }
    lines.push(tried)
    if (tried.each.mutation === tried.each.damage) {
      for (const word of draft.words) {
        const key = `${family.name}: ${word}`
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    }
  }
  return { lines, unbuiltCount, counts, pool }
}

function missing(counts: ReadonlyMap<string, number>, wantedCount: number): string {
  return [...counts].flatMap(([word, found]) => (found < wantedCount ? [word] : [])).join(", ")
}

function drawFamily(random: SeededRandom, families: readonly Family[]): Family {
  return random.pick(families.flatMap((family) => Array.from({ length: family.weight }, () => family)))
}

function drawWith(random: SeededRandom, family: Family, wanted: string | undefined): Draft {
  for (let tries = 0; tries < TRY_COUNT; tries++) {
    const draft = family.draw(random)
    if (wanted === undefined || draft.words.includes(wanted)) return draft
  }
  throw new Error(`${family.name} draws no line with "${wanted}"`)
}

interface Trial {
  readonly index: number
  readonly family: string
  readonly isSpoilt: boolean
  readonly random: SeededRandom
  readonly pool: Uint8Array
}

/** Undefined if what was drawn is not built here: a generator need not know every combination. */
async function tryDraft(draft: Draft, trial: Trial): Promise<TriedCase | undefined> {
  const { index, family, isSpoilt, random, pool } = trial
  const drawn = await built(draft)
  if (drawn === undefined) return undefined
  const setup: Setup = { ...drawn, isPortable: isChance(random, 1, 4) }
  const named = { index, family, words: draft.words }
  if (isSpoilt || setup.damage !== undefined) return await trySpoilt(setup, named, random, pool)
  const each: Case = { ...setup, ...named, mutation: undefined, steps: drawSteps(random, setup) }
  const here = await runHere(each, pool)
  if (here.verdict === "refused") throw new Error(`a good line is refused here: ${here.reason}: ${each.line}`)
  return here.verdict === "unbuilt" ? undefined : { each, here }
}

/** Where Linux may take the spoilt line after all, it gets requests that fit its device. */
async function trySpoilt(
  good: Setup,
  named: Pick<Case, "index" | "family" | "words">,
  random: SeededRandom,
  pool: Uint8Array,
): Promise<TriedCase | undefined> {
  const [mutation, line] = good.damage === undefined ? mutate(random, good.line) : [good.damage, good.line]
  if (good.isSpoiltToRandom?.(line)) return undefined
  const opened = await runHere({ ...good, line, steps: [] }, pool)
  const [size, blockSize] = (opened.geometry ?? `${good.size} ${good.blockSize}`).split(" ").map(Number)
  const setup = { ...good, line, size: size!, blockSize: blockSize! }
  const steps = setup.size > READ_SIZE_MAX ? [] : drawSteps(random, setup)
  const each = { ...setup, ...named, mutation, steps }
  return { each, here: await runHere(each, pool) }
}

async function built(draft: Draft): Promise<Setup | undefined> {
  try {
    return await draft.build()
  } catch (error) {
    if (error instanceof BlockError && ["UNSUPPORTED", "INVALID"].includes(error.code)) return undefined
    throw error
  }
}
