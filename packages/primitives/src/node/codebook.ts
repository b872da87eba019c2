import { createCipheriv, createDecipheriv } from "node:crypto"

const BLOCK_SIZE = 16
const SAMPLE = Uint8Array.from({ length: 40 * BLOCK_SIZE }, (_, index) => (index * 7) % 251)

export interface Transform {
  update(data: Uint8Array): Uint8Array
}

/** AES of single blocks: `create` says in which direction, and the object lives as long as the key. */
type CodebookFactory = (create: typeof createCipheriv | typeof createDecipheriv, key: Uint8Array) => Transform

/** By ECB, which has no state from block to block, so that an object never ends. */
export const ecbCodebook: CodebookFactory = (create, key) =>
  create(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false)

/**
 * By XTS with tweaks of zero. The IV is what the second key deciphers zeroes to, so the first tweak is zero, and so is
 * every multiple of it: nothing is XORed, and it does not matter whether an update goes on with the tweak or starts again.
 * The second key is public, but OpenSSL wants it to differ from the first. There is no AES-192-XTS.
 */
export const xtsCodebook: CodebookFactory = (create, key) => {
  const otherKey = key.map((byte) => byte ^ 0xff)
  const iv = ecbCodebook(createDecipheriv, otherKey).update(new Uint8Array(BLOCK_SIZE))
  const keys = new Uint8Array(2 * key.length)
  keys.set(key)
  keys.set(otherKey, key.length)
  const transform = create(`aes-${key.length * 8}-xts`, keys, iv)
  for (const secret of [otherKey, keys]) secret.fill(0)
  return transform
}

let isXtsChosen: boolean | undefined

/** The faster of the two for this key: from OpenSSL 3.5 on XTS uses AVX-512, three times as fast as its ECB, which does not. */
export const openCodebook: CodebookFactory = (create, key) => {
  isXtsChosen ??= hasWideXts(process.versions.openssl) && isCodebook(xtsCodebook)
  return isXtsChosen && key.length !== 24 ? xtsCodebook(create, key) : ecbCodebook(create, key)
}

/** Whether this version of OpenSSL has XTS by AVX-512. What is not a version of OpenSSL has not. */
export function hasWideXts(version: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+$/.exec(version) ?? []
  return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 5)
}

/** Whether two updates on one object both give what ECB gives, in both directions and for both sizes of key. */
export function isCodebook(factory: CodebookFactory): boolean {
  try {
    return [16, 32].every((keySize) =>
      [createCipheriv, createDecipheriv].every((create) => {
        const key = SAMPLE.subarray(0, keySize)
        const [candidate, ecb] = [factory(create, key), ecbCodebook(create, key)]
        return [SAMPLE, SAMPLE.subarray(0, 3 * BLOCK_SIZE)].every((blocks) => {
          const expected = ecb.update(blocks)
          return candidate.update(blocks).every((byte, index) => byte === expected[index])
        })
      }),
    )
  } catch {
    return false
  }
}
