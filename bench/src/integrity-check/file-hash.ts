/**
 * A program: hashes a file in pieces of so many bytes, each for itself, and reads it in the same pieces.
 *
 * node file-hash.js FILE PIECE-BYTES
 */
import { createHash } from "node:crypto"
import { openSync, readSync } from "node:fs"

const [path = "", pieceBytes] = process.argv.slice(2)
const piece = new Uint8Array(Number(pieceBytes))
const fd = openSync(path, "r")
for (let length = readSync(fd, piece); length > 0; length = readSync(fd, piece)) {
  createHash("sha256").update(piece.subarray(0, length)).digest()
}
