import { readFile } from "node:fs/promises"
import { BlockError } from "blockstrata"
import { VerbFailure } from "./exit-status.ts"
import type { Host } from "./host.ts"
import { takeStdin } from "./standard-input.ts"

/** The keys of `--key DESC=FILE`, by description. */
export async function readKeys(host: Host, pairs: readonly string[]): Promise<Map<string, Uint8Array>> {
  const keys = new Map<string, Uint8Array>()
  for (const pair of pairs) {
    const [, description, path] = /^(.+?)=(.+)$/.exec(pair) ?? []
    if (description === undefined || path === undefined) throw new VerbFailure("--key wants DESC=FILE", 1)
    keys.set(description, await readKeyFile(host, path))
  }
  return keys
}

/** A key file is raw: nothing is stripped. `-` is stdin. */
async function readKeyFile(host: Host, path: string): Promise<Uint8Array> {
  if (path !== "-") return await readHostFile(path)
  const pieces: Uint8Array[] = []
  for await (const piece of takeStdin(host)) pieces.push(piece)
  const key = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let end = 0
  for (const piece of pieces) {
    key.set(piece, end)
    end += piece.length
    piece.fill(0)
  }
  return key
}

async function readHostFile(path: string): Promise<Uint8Array> {
  return await readFile(path).catch((cause: unknown) => {
    throw new BlockError("IO", `${path}: cannot be read`, { operation: "open", cause })
  })
}

/** The key of an HMAC; everybody knows the empty one. */
export async function readIntegrityKey(host: Host, path: string): Promise<Uint8Array> {
  const key = await readKeyFile(host, path)
  if (key.length === 0) throw new VerbFailure(`${path}: expected a key, got an empty file`, 1)
  return key
}

/** A small text file of the host. */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readHostFile(path))
}
