/**
 * Views of `memory` from `address` on. To make one takes as long as to encipher 512 bytes and requests tend to be of one
 * length, so the last one is kept.
 */
export function windowAt(memory: Uint8Array, address: number): (length: number) => Uint8Array {
  let view = memory.subarray(address, address)
  return (length) => {
    if (view.length !== length) view = memory.subarray(address, address + length)
    return view
  }
}
