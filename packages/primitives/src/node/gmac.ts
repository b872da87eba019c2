import { type CipherGCMTypes, createCipheriv, timingSafeEqual } from "node:crypto"
import type { FrameVerifier } from "../gcm.ts"

const OPTIONS = { authTagLength: 16 }
const IV = /* @__PURE__ */ new Uint8Array(12)
/** Lengths of requests whose expected tags are kept; they repeat, for requests do. */
const EXPECTED_COUNT_MAX = 256

/**
 * Verifies many GCM units by one GMAC: an AES-GCM object of OpenSSL that is fed with additional data only.
 *
 * **What it sees.** For each unit, in whole blocks: AAD, ciphertext, their lengths, and the stored tag T ^ E(J0), where
 * J0 is the unit's 96-bit IV followed by 1. GHASH goes from block to block by Y = (Y ^ block) * H, starting at Y = 0.
 * Over a unit's first three parts it comes to S, and the unit is authentic if S = T ^ E(J0) (SP 800-38D, 7.1 and 7.2):
 * then the fourth part makes Y zero again, and the next unit starts as if it were the first. What the object adds at the
 * end, the length of all that, makes its tag a constant for each length: the one that it gives for as many zeros.
 *
 * **Why a forgery is found.** Let D = S ^ T ^ E(J0) of a unit. The last Y is the sum of all D * H^k, where k is 1 and the
 * number of blocks behind the unit. An authentic unit has D = 0. The others, by their IVs:
 *
 * - If (A', C', T') was sealed under the IV, once, as GCM demands, E(J0) = S' ^ T', and D is a polynomial in H whose coefficients an attacker
 *   may choose: the difference of the tags, that of the lengths, then of ciphertext and AAD from their last blocks on.
 *   The sum of several is not the zero polynomial, whatever is chosen in them. Of the units that differ from what was
 *   sealed take the last: units behind it add nothing, those before it only powers of H above its own blocks. So in a
 *   sum of zero its tag, lengths, and as many last blocks as it has would be those that were sealed; but with equal
 *   lengths that is all of it, and it does not differ. Two changes, two swapped tags, the same XOR in two units: each is
 *   a polynomial other than zero, of a degree up to the number n of blocks (more, by one unit at most, if the key
 *   sealed longer units), and zero for at most n of 2^128 values of H. H is AES of zero, and nothing shows it.
 * - If nothing was sealed under the IV, E(J0) is a value that nobody has seen. Units that share it add E(J0) times a sum
 *   of different powers of H. That is zero for at most n values of H; for all others one value of E(J0) fits, whatever
 *   else is in the request.
 *
 * So a request passes with a wrong unit in it with a probability of about n / 2^128 (as far as AES is a random
 * permutation), which is the bound of one GCM message of that length, and what its units have in sum when each is
 * verified alone: many units in one request, like many requests, gain an attacker nothing that many messages would not.
 * Any other length of IV is no part of this.
 *
 * **Why the object may have a fixed IV.** It encrypts no data, so no keystream is used twice. Its tag, which together with
 * another would give H away, is compared with a constant in constant time and never leaves: in the comparison the
 * length and the encrypted counter block, also if a unit has this very IV, cancel out, and whether the last Y is zero is
 * all that can be seen. Which unit is wrong it does not say: that takes a second look at each of them.
 */
export function nodeGmac(key: Uint8Array): FrameVerifier {
  const algorithm = `aes-${key.length * 8}-gcm` as CipherGCMTypes
  const ownKey = new Uint8Array(key)
  // By length: the tags over zeros. As secret as H.
  const expected = new Map<number, Uint8Array>()

  function tagOf(message: Uint8Array): Uint8Array {
    const cipher = createCipheriv(algorithm, ownKey, IV, OPTIONS)
    cipher.setAAD(message)
    cipher.final()
    return cipher.getAuthTag()
  }

  function forget(): void {
    for (const tag of expected.values()) tag.fill(0)
    expected.clear()
  }

  function expectedTag(length: number): Uint8Array {
    const known = expected.get(length)
    if (known !== undefined) return known
    if (expected.size === EXPECTED_COUNT_MAX) forget()
    const tag = tagOf(new Uint8Array(length))
    expected.set(length, tag)
    return tag
  }

  return {
    areAuthentic: (frames) => timingSafeEqual(tagOf(frames), expectedTag(frames.length)),
    destroy() {
      ownKey.fill(0)
      forget()
    },
  }
}
