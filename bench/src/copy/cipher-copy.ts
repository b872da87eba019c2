/**
 * A program: the same copy with nothing of this library, by one long-lived cipher (which leaves the IVs out: what it
 * writes is noise) or by one cipher object per sector.
 *
 * node cipher-copy.js limit|naive decrypt|encrypt KEY-FILE VOLUME-FILE START-BYTES RAW-FILE. Prints its largest resident memory in KiB.
 */
import { createCipheriv, createDecipheriv } from "node:crypto"
import { closeSync, openSync, readFileSync, readSync, statSync, writeSync } from "node:fs"

const SECTOR_SIZE = 512
const BUFFER_SIZE = 1024 * 1024
const PIECE_SIZE = 64 * 1024

const [way, direction, keyPath = "", volumePath = "", startBytes, rawPath = ""] = process.argv.slice(2)
const create = direction === "decrypt" ? createDecipheriv : createCipheriv
const key = readFileSync(keyPath)
const size = statSync(rawPath).size
const volume = openSync(volumePath, "r+")
const raw = openSync(rawPath, "r+")
const start = Number(startBytes)
const buffer = new Uint8Array(BUFFER_SIZE)
const iv = new Uint8Array(16)
const ivView = new DataView(iv.buffer)
const longLived = create("aes-256-xts", key, iv)

function transform(bytes: Uint8Array, offset: number): void {
  if (way === "limit") {
    for (let at = 0; at < bytes.length; at += PIECE_SIZE)
      bytes.set(longLived.update(bytes.subarray(at, at + PIECE_SIZE)), at)
    return
  }
  for (let at = 0; at < bytes.length; at += SECTOR_SIZE) {
    ivView.setBigUint64(0, BigInt((offset + at) / SECTOR_SIZE), true)
    const sector = bytes.subarray(at, at + SECTOR_SIZE)
    sector.set(create("aes-256-xts", key, iv).update(sector))
  }
}

for (let offset = 0; offset < size; offset += BUFFER_SIZE) {
  const length = Math.min(BUFFER_SIZE, size - offset)
  const bytes = buffer.subarray(0, length)
  if (direction === "decrypt") readSync(volume, bytes, 0, length, start + offset)
  else readSync(raw, bytes, 0, length, offset)
  transform(bytes, offset)
  if (direction === "decrypt") writeSync(raw, bytes, 0, length, offset)
  else writeSync(volume, bytes, 0, length, start + offset)
}
closeSync(volume)
closeSync(raw)
console.log(process.resourceUsage().maxRSS)
