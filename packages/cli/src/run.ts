import { createRequire } from "node:module"
import { Command, CommanderError } from "commander"
import { addBenchCommand } from "./bench-command.ts"
import { describeFailure, exitStatus, isClosedOutput } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { addIntegrityCommands } from "./integrity-commands.ts"
import { addLookCommands } from "./look-commands.ts"
import { addTransferCommands } from "./transfer-commands.ts"
import { addVerityCommands } from "./verity-commands.ts"

const EXIT_STATUS = `
Exit status: 0 done, 1 wrong parameters (or a wrong root hash), 2 bad data, 4 wrong device or file, 5 busy or exists.`

/** Runs `strata` with these arguments. Resolves with the exit status; never rejects. */
export async function runStrata(args: readonly string[], host: Host): Promise<number> {
  const program = new Command("strata")
    .description("Linux device-mapper in user space. Each verb names the library call that it is.")
    .version(packageVersion())
    .addHelpText("after", EXIT_STATUS)
    .exitOverride()
    // Help that nobody takes is no failure.
    .configureOutput({
      writeOut: (text) => void host.writeOut(text).catch(() => {}),
      writeErr: (text) => host.writeError(text),
    })
  addTransferCommands(program, host)
  addLookCommands(program, host)
  addVerityCommands(program, host)
  addIntegrityCommands(program, host)
  addBenchCommand(program, host)
  try {
    await program.parseAsync(args, { from: "user" })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    if (!isClosedOutput(error)) host.writeError(`${describeFailure(error)}\n`)
    return exitStatus(error)
  }
}

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)("../package.json") as { readonly version: string }
  return version
}
