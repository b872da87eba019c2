// Opens a table, does the steps that the file named first says, tells each that is done, and waits to be killed.
import { readFileSync } from "node:fs"
import { openVolume } from "blockstrata"

const { table, steps, content } = JSON.parse(readFileSync(process.argv[2], "utf8"))
const bytes = readFileSync(content)
const { device } = await openVolume({ table })
let at = 0
for (const step of steps) {
  if (step.do === "flush") await device.flush()
  else {
    await device.write(step.offset, bytes.subarray(at, at + step.length))
    at += step.length
  }
  process.stdout.write(".")
}
setInterval(() => {}, 1000)
