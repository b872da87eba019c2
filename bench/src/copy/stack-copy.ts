/**
 * A program: copies between a crypt volume and a file, as a user of the library would.
 *
 * node stack-copy.js decrypt|encrypt TABLE-FILE RAW-FILE [THREADS]. Prints its largest resident memory in KiB.
 */
import { readFile } from "node:fs/promises"
import { createNodeEngine } from "@blockstrata/primitives/node"
import { copyDevice, openFile, openVolume } from "blockstrata"

const [direction, tablePath = "", rawPath = "", threads] = process.argv.slice(2)
const isDecrypting = direction === "decrypt"
const engine = threads === undefined ? undefined : createNodeEngine({ threads: Number(threads) })
const { device } = await openVolume({ table: await readFile(tablePath, "utf8"), readOnly: isDecrypting, engine })
const raw = await openFile(rawPath, { readOnly: !isDecrypting })
await copyDevice(isDecrypting ? device : raw, isDecrypting ? raw : device)
await raw.close()
await device.close()
engine?.close()
console.log(process.resourceUsage().maxRSS)
