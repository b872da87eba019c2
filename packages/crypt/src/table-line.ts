import { type BlockDevice, BlockError, type TableContext, type TableWord } from "@blockstrata/device"
import type { Engine } from "@blockstrata/primitives"
import { authTagSizeOf } from "./aead-target.ts"
import { checkIvSectorSize, parseCipherSpec } from "./cipher-spec.ts"
import type { BlockCipherFactory } from "./crypt-parts.ts"
import { checkSectorSize, cryptTarget } from "./crypt-target.ts"
import { type CryptKey, type KeyResolver, parseKey, printKey, quoteWord, resolveKey } from "./key.ts"
import { type CryptLineOptions, parseLineOptions, printLineOptions, wrappedNumber } from "./line-options.ts"

/** What a crypt line says: `<cipher> <key> <iv_offset> <device> <start> [<count> <option>...]`. */
export interface CryptLine {
  readonly cipher: string
  readonly key: CryptKey
  /** Sectors of 512 bytes, below 2^64. */
  readonly ivOffsetSectors: bigint
  /** The operand, as it stands in the line. */
  readonly device: string
  /** Sectors of 512 bytes, below 2^64. */
  readonly startSectors: bigint
  readonly options: CryptLineOptions
}

/** What a crypt line may ask for besides its device. */
export interface CryptTableContext extends TableContext {
  /** Finds the keys of `:size:type:description`. */
  readonly resolveKey?: KeyResolver | undefined
  readonly engine?: Engine | undefined
}

/** What a table's reader decides for all crypt lines in it. */
export interface CryptLinePolicy {
  /** Take `cipher_null-ecb` and `capi:ecb(cipher_null)`: plaintext on the medium. */
  readonly allowNullCipher?: boolean | undefined
  /** Block ciphers that no engine has, by the kernel's name. */
  readonly blockCiphers?: ReadonlyMap<string, BlockCipherFactory> | undefined
}

const PRINTED: Pick<TableWord<CryptLine, CryptTableContext>, "word" | "print" | "operands"> = {
  word: "crypt",
  print(line, { showKeys }) {
    return [
      line.cipher,
      printKey(line.key, showKeys),
      String(line.ivOffsetSectors),
      line.device,
      String(line.startSectors),
      ...printLineOptions(line.options),
    ]
  },
  operands: (line) => [line.device],
}

/** The word `crypt` of a device-mapper table. @see Linux, admin-guide/device-mapper/dm-crypt */
export const cryptWord: TableWord<CryptLine, CryptTableContext> = cryptWordWith({})

/** The word `crypt` that also takes what `policy` allows. */
export function cryptWordWith(policy: CryptLinePolicy): TableWord<CryptLine, CryptTableContext> {
  return {
    ...PRINTED,
    parse: (args, size) => parse(args, size, policy),
    open: (line, context) => open(line, context, policy),
  }
}

function parse(args: readonly string[], size: number, policy: CryptLinePolicy): CryptLine {
  const [cipher, keyWord, ivOffsetWord, device, startWord, ...optionWords] = args
  if (
    cipher === undefined ||
    keyWord === undefined ||
    ivOffsetWord === undefined ||
    device === undefined ||
    startWord === undefined
  ) {
    throw new BlockError("INVALID", `crypt: expected at least 5 arguments, got ${args.length}`)
  }
  // Whatever Linux refuses comes first, so that what is only not built here does not hide it.
  const refusals: BlockError[] = []
  const ivOffsetSectors = parseSectors(ivOffsetWord, "IV offset", refusals)
  const startSectors = parseSectors(startWord, "start", refusals)
  const options = parseLineOptions(optionWords, size, refusals)
  checkSectorSize(options.sectorSize, ivOffsetSectors)
  const spec = parseCipherSpec(cipher, options.integrity?.kind, {
    ...policy,
    macKeySize: options.integrityKeySize,
  })
  checkIvSectorSize(spec, options.sectorSize)
  const key = parseKey(keyWord, spec)
  if (options.integrity !== undefined) authTagSizeOf(spec, options.integrity.tagSize)
  const [refusal] = refusals
  if (refusal !== undefined) throw refusal
  return { cipher, key, ivOffsetSectors, device, startSectors, options }
}

async function open(line: CryptLine, context: CryptTableContext, policy: CryptLinePolicy): Promise<BlockDevice> {
  const { options } = line
  const { integrity, integrityKeySize } = options
  const start = line.startSectors * 512n
  if (start > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new BlockError("INVALID", `crypt: start: no device reaches sector ${line.startSectors}`)
  }
  const key = resolveKey(line.key, context.resolveKey)
  const lower = context.device(line.device)
  try {
    return cryptTarget({
      lower,
      start: Number(start),
      size: context.size,
      cipher: line.cipher,
      key,
      ivOffsetSectors: line.ivOffsetSectors,
      sectorSize: options.sectorSize,
      ivLargeSectors: options.ivLargeSectors,
      allowDiscards: options.allowDiscards,
      integrity: integrity && { tagSize: integrity.tagSize, kind: integrity.kind, keySize: integrityKeySize },
      ...policy,
      engine: context.engine,
      runtime: context.runtime,
      onEvent: context.onEvent,
    })
  } finally {
    key.fill(0)
  }
}

/** @throws BlockError `INVALID` unless it is a plain number. */
function parseSectors(word: string, what: string, refusals: BlockError[]): bigint {
  if (!/^\d+$/.test(word))
    throw new BlockError("INVALID", `crypt: ${what}: expected a number of sectors, got ${quoteWord(word)}`)
  return wrappedNumber(word, 64, what, refusals)
}
