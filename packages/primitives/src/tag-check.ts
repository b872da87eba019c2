import { equalBytes } from "@noble/ciphers/utils.js"

/** The index of the first tag that is not what it should be, or -1. Each tag is compared whole and in constant time. */
export function findDifference(tags: Uint8Array, expected: Uint8Array, tagSize: number): number {
  for (let at = 0; at < tags.length; at += tagSize) {
    if (!equalBytes(tags.subarray(at, at + tagSize), expected.subarray(at, at + tagSize))) return at / tagSize
  }
  return -1
}
