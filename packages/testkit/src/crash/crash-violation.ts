import type { CrashProgress } from "./crash-moment.ts"
import type { Finding } from "./crash-search.ts"
import { type Choice, type Epoch, owedIn } from "./epoch.ts"

/** A promise that a crash broke: `message` holds the shortest trace that was found, `replay` repeats it. */
export class CrashViolation extends Error {
  override readonly name = "CrashViolation"
  /** JSON: what `replayCrash` takes. */
  readonly replay: string
  readonly problem: string

  constructor(problem: string, trace: string, replay: string) {
    super(`${problem}\n${trace}`)
    this.problem = problem
    this.replay = replay
  }
}

/** The steps, what the crash left, and what was found, for people. */
export function traceOf<Moment extends CrashProgress>({ problem, epochs, choices }: Finding<Moment>): string {
  const [epoch, choice] = [epochs[0], choices[0]]
  if (epoch === undefined || choice === undefined) return problem
  const { begun, settled } = owedIn(epoch, choice)
  const underWay = begun.filter((name) => !settled.includes(name))
  return [
    ...settled.map((name) => `  ${name}`),
    ...underWay.map((name) => `  ${name} (under way)`),
    "  the power fails; of what was not durable there is left:",
    ...changeLines(epoch, choice),
    ...epochs
      .slice(1)
      .flatMap((nested, index) => [
        "  it is opened, and while it is, the power fails again; there is left:",
        ...changeLines(nested, choices[index + 1] as Choice),
      ]),
    `  it is opened: ${problem}`,
  ].join("\n")
}

function changeLines<Moment>(epoch: Epoch<Moment>, choice: Choice): string[] {
  let index = 0
  const lines = epoch.changes.map(({ event, isDurable, images }) => {
    const image = isDurable ? "durable" : images[choice[index++] ?? 0]
    return `    ${event.medium}: ${event.kind} of ${event.length} bytes at ${event.offset}: ${image}`
  })
  return lines.length === 0 ? ["    (nothing was pending)"] : lines
}
