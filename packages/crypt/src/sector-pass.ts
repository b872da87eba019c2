/**
 * What some IVs do to the data of sectors, beside making an IV: `lmk`, `tcw` and `elephant`. Used around a cipher that
 * takes one IV of 16 bytes per sector, by batches of whole sectors: `offset` is where the first of them begins, in bytes
 * of the device, and `ivs` has 16 bytes for each. To write: `beforeEncrypt`, encrypt, `afterEncrypt`; to read:
 * `beforeDecrypt`, decrypt, `afterDecrypt`. A pass keeps nothing from one call to the next.
 */
export interface SectorPass {
  readonly ivSize: 16
  /**
   * Fills `ivs`, and `target` with what is to be encrypted. `source`, the plaintext, is not modified unless it is also
   * `target`; else they do not overlap.
   */
  beforeEncrypt(offset: number, source: Uint8Array, target: Uint8Array, ivs: Uint8Array): void
  /** Makes of `data`, encrypted, what stands on the medium, in place. */
  afterEncrypt(offset: number, data: Uint8Array): void
  /** Makes of `data`, as it stands on the medium, what is to be decrypted, in place; fills `ivs`. */
  beforeDecrypt(offset: number, data: Uint8Array, ivs: Uint8Array): void
  /** Makes of `data`, decrypted, the plaintext, in place. `ivs` is memory to work with: what it holds is overwritten or lost. */
  afterDecrypt(offset: number, data: Uint8Array, ivs: Uint8Array): void
  /** Wipes the keys. */
  destroy(): void
}
