import { processHost } from "./host.ts"
import { runStrata } from "./run.ts"

process.exitCode = await runStrata(process.argv.slice(2), processHost())
