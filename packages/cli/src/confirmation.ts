import { VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { takeStdin } from "./standard-input.ts"

/** Asks for YES before something is destroyed. Where nobody can be asked, `--batch-mode` must say so. */
export async function confirm(host: Host, question: string, isBatch: boolean): Promise<void> {
  if (isBatch) return
  if (!host.isTerminal) throw new VerbFailure(`${question} Say --batch-mode to do it without being asked.`, 1)
  host.writeError(`${question}\nAre you sure? (Type 'yes' in capital letters): `)
  let answer = ""
  for await (const chunk of takeStdin(host)) {
    answer += new TextDecoder().decode(chunk)
    if (answer.includes("\n")) break
  }
  if (answer.trim() !== "YES") throw new VerbFailure("Operation aborted.", 1)
}
