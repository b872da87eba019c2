import { Command, CommanderError } from "commander"
import { describeFailure, exitStatus } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { addIntegrityCommands } from "./integrity-commands.ts"
import { addLookCommands } from "./look-commands.ts"
import { addTransferCommands } from "./transfer-commands.ts"
import { addVerityCommands } from "./verity-commands.ts"

/** Runs `strata` with these arguments. Resolves with the exit status; never rejects. */
export async function runStrata(args: readonly string[], host: Host): Promise<number> {
  const program = new Command("strata")
    .description("Linux device-mapper in user space. Each verb names the library call that it is.")
    .exitOverride()
    .configureOutput({ writeOut: (text) => void host.writeOut(text), writeErr: (text) => host.writeError(text) })
  addTransferCommands(program, host)
  addLookCommands(program, host)
  addVerityCommands(program, host)
  addIntegrityCommands(program, host)
  try {
    await program.parseAsync(args, { from: "user" })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    host.writeError(`${describeFailure(error)}\n`)
    return exitStatus(error)
  }
}
