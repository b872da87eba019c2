import { isBytes } from "@noble/ciphers/utils.js"

/** @throws TypeError if `value` is not a `Uint8Array` (of any realm). */
export function requireBytes(what: string, value: unknown): void {
  if (!isBytes(value)) throw new TypeError(`${what}: expected a Uint8Array, got ${typeof value}`)
}

/** @throws TypeError, or RangeError if `bytes` does not have exactly this length. */
export function requireLength(what: string, bytes: Uint8Array, lengthBytes: number): void {
  requireBytes(what, bytes)
  if (bytes.length !== lengthBytes) throw new RangeError(`${what}: expected ${lengthBytes} bytes, got ${bytes.length}`)
}

/** @throws TypeError, or RangeError if the length of `bytes` is not a multiple of `size`. */
export function requireMultiple(what: string, bytes: Uint8Array, size: number): void {
  requireBytes(what, bytes)
  if (bytes.length % size !== 0)
    throw new RangeError(`${what}: expected a multiple of ${size} bytes, got ${bytes.length}`)
}

/** @throws RangeError if `size` is not a multiple of `multiple` in `min` ... `max`. */
export function requireSize(what: string, size: number, multiple: number, min: number, max: number): void {
  if (Number.isSafeInteger(size) && size % multiple === 0 && size >= min && size <= max) return
  throw new RangeError(`${what}: expected a multiple of ${multiple} in ${min} ... ${max}, got ${size}`)
}

/** The lengths of a request: `target` is as long as `source`, and the same memory or none of it. */
export function requirePair(source: Uint8Array, target: Uint8Array): void {
  requireBytes("source", source)
  requireLength("target", target, source.length)
  if (source.buffer !== target.buffer) return
  const distance = Math.abs(source.byteOffset - target.byteOffset)
  if (distance !== 0 && distance < source.length) {
    throw new RangeError(
      `target: expected the memory of source or none of it, got an overlap at a distance of ${distance}`,
    )
  }
}

/**
 * What `names` holds under `name`.
 *
 * @throws RangeError an unknown name.
 */
export function requireName<Value>(what: string, name: string, names: Readonly<Record<string, Value>>): Value {
  if (!Object.hasOwn(names, name))
    throw new RangeError(`${what}: expected one of ${Object.keys(names).join(", ")}, got ${name}`)
  return names[name] as Value
}

/** @throws TypeError, or RangeError if the key has none of these lengths. The message says the length, never the key. */
export function requireKey(what: string, key: Uint8Array, sizes: readonly number[]): void {
  requireBytes(`${what} key`, key)
  if (!sizes.includes(key.length)) {
    throw new RangeError(`${what} key: expected ${sizes.join(" or ")} bytes, got ${key.length}`)
  }
}
