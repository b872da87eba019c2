import { VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"

const taken = new WeakSet<Host>()

/** What comes in on stdin, for the one part of a command that asks for it: a second would find it empty. */
export function takeStdin(host: Host): AsyncIterable<Uint8Array> {
  if (taken.has(host)) throw new VerbFailure("stdin is asked for twice", 1)
  taken.add(host)
  return host.stdin
}
