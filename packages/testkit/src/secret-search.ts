/** Bytes of a secret that are looked for as a unit: half a key is still a key. */
const PIECE_SIZE = 8
/** Base64 has no piece smaller than three bytes; twelve make sixteen letters. */
const BASE64_PIECE_SIZE = 12

/**
 * Looks for a secret in everything that can be reached from a value: texts, names, byte arrays, maps, errors with
 * their causes, getters. A piece of 8 bytes counts, as text (UTF-16 of latin1), hex, decimal list or base64.
 *
 * Does not see what only closures hold.
 * @returns where it was found, as a path from the value; undefined if it was not.
 */
export function findSecret(value: unknown, secrets: readonly Uint8Array[]): string | undefined {
  const needles = secrets.flatMap(piecesOf)
  for (const { path, found } of reachable(value)) {
    if (typeof found === "string" && needles.some((needle) => isInText(found, needle))) return path
    if (
      found instanceof Uint8Array &&
      needles.some((needle) => isInText(latin1(found), { ...needle, hex: needle.latin1 }))
    )
      return path
  }
  return undefined
}

interface Needle {
  readonly latin1: string
  readonly hex: string
  readonly decimal: string
  readonly base64: string | undefined
}

function piecesOf(secret: Uint8Array): Needle[] {
  const needles: Needle[] = []
  for (let start = 0; start + PIECE_SIZE <= secret.length; start += PIECE_SIZE) {
    const piece = secret.subarray(start, start + PIECE_SIZE)
    // A piece such as eight zeroes stands in any memory.
    if (new Set(piece).size < 4) continue
    needles.push({ latin1: latin1(piece), hex: hex(piece), decimal: piece.join(","), base64: undefined })
  }
  for (let start = 0; start + BASE64_PIECE_SIZE <= secret.length; start += BASE64_PIECE_SIZE) {
    const piece = secret.subarray(start, start + BASE64_PIECE_SIZE)
    if (new Set(piece).size < 4) continue
    needles.push({ latin1: latin1(piece), hex: hex(piece), decimal: piece.join(","), base64: btoa(latin1(piece)) })
  }
  return needles
}

function isInText(text: string, { latin1: plain, hex: digits, decimal, base64 }: Needle): boolean {
  if (text.length < PIECE_SIZE) return false
  if (text.includes(plain) || text.toLowerCase().includes(digits) || text.replaceAll(" ", "").includes(decimal))
    return true
  return base64 !== undefined && text.replaceAll("-", "+").replaceAll("_", "/").includes(base64)
}

interface Place {
  readonly path: string
  readonly found: unknown
}

/** Every text and byte array that can be reached, each object once. */
function* reachable(root: unknown): Generator<Place> {
  const seen = new Set<unknown>()
  const open: Place[] = [{ path: "value", found: root }]
  for (let place = open.pop(); place; place = open.pop()) {
    const { path, found } = place
    if (typeof found === "string") yield place
    if (typeof found === "symbol") yield { path, found: found.description ?? "" }
    if ((typeof found !== "object" && typeof found !== "function") || found === null || seen.has(found)) continue
    seen.add(found)
    if (ArrayBuffer.isView(found))
      yield { path, found: new Uint8Array(found.buffer, found.byteOffset, found.byteLength) }
    else if (found instanceof ArrayBuffer) yield { path, found: new Uint8Array(found) }
    else open.push(...partsOf(path, found))
  }
}

function partsOf(path: string, found: object): Place[] {
  const parts: Place[] = []
  if (found instanceof Map || found instanceof Set) {
    for (const [key, value] of found.entries())
      parts.push({ path: `${path} key`, found: key }, { path: `${path} entry`, found: value })
  }
  for (
    let holder: object | null = found;
    holder && holder !== Object.prototype;
    holder = Object.getPrototypeOf(holder) as object | null
  ) {
    // What hangs on the language's own prototypes is the host's.
    if (holder !== found && (holder === Function.prototype || holder === Array.prototype)) break
    for (const key of Reflect.ownKeys(holder)) {
      parts.push({ path: `${path} key`, found: key }, { path: `${path}.${String(key)}`, found: valueOf(found, key) })
    }
  }
  return parts
}

function valueOf(holder: object, key: PropertyKey): unknown {
  try {
    return Reflect.get(holder, key)
  } catch {
    return undefined
  }
}

function latin1(bytes: Uint8Array): string {
  let text = ""
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
