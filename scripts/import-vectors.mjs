// Takes volumes out of a folder of kernel-written vectors into test/vectors: node scripts/import-vectors.mjs NAME...
// The folder is BLOCKSTRATA_VECTORS; images there are zstd, here gzip, which every supported Node unpacks by itself.
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { decompress } from "fzstd"

const target = fileURLToPath(new URL("../test/vectors/", import.meta.url))
const source = process.env.BLOCKSTRATA_VECTORS
const names = process.argv.slice(2)
if (!source || names.length === 0) {
  console.error("usage: BLOCKSTRATA_VECTORS=FOLDER node scripts/import-vectors.mjs NAME...")
  process.exit(1)
}

let totalBytes = 0
for (const name of names) totalBytes += importVector(name)
console.log(`${names.length} vectors, ${totalBytes} bytes`)

/** Copies one vector; the bytes that it takes here. */
function importVector(name) {
  const manifest = JSON.parse(readFileSync(join(source, name, "manifest.json"), "utf8"))
  const folder = join(target, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  let packedBytes = 0
  for (const [imageName, image] of Object.entries(manifest.images)) {
    const raw = decompress(readFileSync(join(source, name, image.file)))
    const sha256 = createHash("sha256").update(raw).digest("hex")
    if (sha256 !== image.sha256) throw new Error(`${name}: ${imageName} is not what the manifest says`)
    image.file = `${imageName}.gz`
    const packed = gzipSync(raw, { level: 9 }) // Node writes no name and a zero time
    writeFileSync(join(folder, image.file), packed)
    packedBytes += packed.length
  }
  writeFileSync(join(folder, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`)
  return packedBytes
}
