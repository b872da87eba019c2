import { BlockError } from "@blockstrata/device"

export function invalid(what: string): BlockError {
  return new BlockError("INVALID", `verity: ${what}`)
}

export function unsupported(what: string): BlockError {
  return new BlockError("UNSUPPORTED", `verity: ${what} is not implemented`)
}

/** Hashes that Linux has; a driver may be named with a suffix (`sha256-generic`), a template around a name. */
const LINUX_HASH =
  /^(?:cryptd\()?(?:(?:hmac|cmac|xcbc|vmac64)\(.*\)|(?:sha1|sha224|sha256|sha384|sha512|sha3-(?:224|256|384|512)|blake2b-(?:160|256|384|512)|blake2s-(?:128|160|224|256)|md4|md5|rmd160|michael_mic|nhpoly1305|polyval|ghash|wp(?:256|384|512)|streebog(?:256|512)|sm3|xxhash64|crc32|crc32c|crct10dif|crc64-rocksoft)(?:-[a-z0-9_-]+)?)\)?$/

/** Options of the line and how many values follow each. Linux 6.1, and two that came with 6.12. */
export const OPTIONS: ReadonlyMap<string, number> = new Map([
  ["ignore_corruption", 0],
  ["restart_on_corruption", 0],
  ["panic_on_corruption", 0],
  ["restart_on_error", 0],
  ["panic_on_error", 0],
  ["ignore_zero_blocks", 0],
  ["check_at_most_once", 0],
  ["try_verify_in_tasklet", 0],
  ["use_fec_from_device", 1],
  ["fec_roots", 1],
  ["fec_blocks", 1],
  ["fec_start", 1],
  ["root_hash_sig_key_desc", 1],
])

/** Of these a line takes one. */
const CORRUPTION_MODES = ["ignore_corruption", "restart_on_corruption", "panic_on_corruption"]

/** `UNSUPPORTED` for a hash that Linux has, `INVALID` for any other name, `undefined` for sha256. */
export function algorithmFault(algorithm: string): BlockError | undefined {
  if (algorithm === "sha256") return undefined
  const what = `hash algorithm "${algorithm}"`
  return LINUX_HASH.test(algorithm) ? unsupported(what) : invalid(`${what} is unknown`)
}

/**
 * No option is implemented; the first is named. Restart and panic have no meaning here, and reading on
 * or failing instead would be another line.
 *
 * @param args what follows the salt: nothing, or the count of the options and the options.
 * @throws BlockError `INVALID` where Linux refuses them.
 */
export function optionFault(args: readonly string[]): BlockError | undefined {
  const [countText, ...rest] = args
  if (countText === undefined) return undefined
  // The kernel reads the count modulo 2^32; the last 32 digits decide, for 2^32 divides 10^32.
  const count = /^[0-9]+$/.test(countText) ? Number(BigInt.asUintN(32, BigInt(countText.slice(-32)))) : Number.NaN
  if (!(count <= rest.length)) throw invalid(`option count: got "${countText}" and ${rest.length} words`)
  const found: string[] = []
  for (let index = 0; index < count; index++) {
    const option = (rest[index] ?? "").toLowerCase()
    const valueCount = OPTIONS.get(option)
    if (valueCount === undefined) throw invalid(`option "${rest[index]}" is unknown`)
    if (CORRUPTION_MODES.includes(option) && found.some((other) => CORRUPTION_MODES.includes(other))) {
      throw invalid(`option "${option}" contradicts another`)
    }
    found.push(option)
    index += valueCount
    if (index >= count) throw invalid(`option "${option}" needs a value`)
  }
  const [first] = found
  if (first !== undefined) return unsupported(`option "${first}"`)
  return Number(countText) === count ? undefined : unsupported(`option count "${countText}"`)
}
