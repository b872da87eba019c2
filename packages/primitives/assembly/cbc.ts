// CBC over sectors of whole blocks: what lies around the block cipher. NIST SP 800-38A, 6.2.

/**
 * target = deciphered xor the ciphertext before each block, the IV for the first of each sector. `source` is the
 * ciphertext, and may be `target`; `deciphered` overlaps neither. `ivs` holds 16 bytes per sector.
 */
export function open(
  target: usize,
  deciphered: usize,
  source: usize,
  ivs: usize,
  sectorSize: usize,
  sectorCount: usize,
): void {
  for (; sectorCount > 0; sectorCount--) {
    let previous = v128.load(ivs)
    for (const end = source + sectorSize; source < end; source += 16) {
      const ciphertext = v128.load(source)
      v128.store(target, v128.xor(v128.load(deciphered), previous))
      previous = ciphertext
      target += 16
      deciphered += 16
    }
    ivs += 16
  }
}

/** lanes ^= the first block of each sector from `block` on: 16 bytes of `lanes` per sector. */
export function take(lanes: usize, block: usize, sectorSize: usize, sectorCount: usize): void {
  for (; sectorCount > 0; sectorCount--) {
    v128.store(lanes, v128.xor(v128.load(lanes), v128.load(block)))
    lanes += 16
    block += sectorSize
  }
}

/** The first block of each sector from `block` on = lanes. */
export function put(lanes: usize, block: usize, sectorSize: usize, sectorCount: usize): void {
  for (; sectorCount > 0; sectorCount--) {
    v128.store(block, v128.load(lanes))
    lanes += 16
    block += sectorSize
  }
}

/** `put`, and then `take` of the next block of each sector. */
export function step(lanes: usize, block: usize, sectorSize: usize, sectorCount: usize): void {
  for (; sectorCount > 0; sectorCount--) {
    const ciphertext = v128.load(lanes)
    v128.store(block, ciphertext)
    v128.store(lanes, v128.xor(ciphertext, v128.load(block, 16)))
    lanes += 16
    block += sectorSize
  }
}
