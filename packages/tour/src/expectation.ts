import type { Outcome } from "./attack.ts"

/**
 * What must come out, row by row: XTS alone, AEAD over integrity, verity above, verity below. Undetected cells are
 * expectations too: a stack that suddenly detects more than its parts can is a bug in the tour.
 */
export const expectedOutcomes: readonly (readonly Outcome[])[] = [
  ["accepted: noise", "caught", "caught", "caught"], // a bit flip garbles 16 bytes of XTS, silently
  ["accepted: noise", "caught", "caught", "caught"], // the sector number is in the tweak, and in the AEAD's AAD
  ["accepted: noise", "caught", "caught", "caught"],
  ["accepted: old data", "accepted: old data", "caught", "caught"], // authentic once is authentic for ever
  ["accepted: old data", "accepted: old data", "caught", "caught"],
]
