/**
 * A program: copies between a crypt volume and a file, as a user of the library would who does nothing beside it: such a
 * program imports the parts that it stacks, lets file calls block (`io: "sync"`), and gives the copy memory from which
 * the kernels read in place.
 *
 * node stack-copy.js decrypt|encrypt KEY-FILE VOLUME-FILE START-BYTES RAW-FILE [THREADS]. Prints its largest resident
 * memory in KiB.
 */
import { readFile } from "node:fs/promises"
import { cryptTarget } from "@blockstrata/crypt"
import { copyDevice } from "@blockstrata/device"
import { openFileDevice } from "@blockstrata/device/file"
import { defaultEngine } from "@blockstrata/primitives"
import { createNodeEngine } from "@blockstrata/primitives/node"

const [direction, keyPath = "", volumePath = "", startBytes, rawPath = "", threads] = process.argv.slice(2)
const isDecrypting = direction === "decrypt"
const pool = threads === undefined ? undefined : createNodeEngine({ threads: Number(threads) })
const engine = pool ?? defaultEngine
const raw = await openFileDevice(rawPath, { readOnly: !isDecrypting, io: "sync" })
const device = cryptTarget({
  lower: await openFileDevice(volumePath, { readOnly: isDecrypting, io: "sync" }),
  start: Number(startBytes),
  size: raw.size,
  cipher: "aes-xts-plain64",
  key: await readFile(keyPath),
  ivOffsetSectors: 0,
  engine,
})
await copyDevice(isDecrypting ? device : raw, isDecrypting ? raw : device, { allocate: engine.allocate })
await raw.close()
await device.close()
pool?.close()
console.log(process.resourceUsage().maxRSS)
