/** Where randomness, the clock and timers come from: the host's, or a seeded simulation. Nothing else may ask the host. */
export interface Runtime {
  /** Fills the whole of `bytes` with randomness fit for keys and IVs. */
  fillRandom(bytes: Uint8Array): void
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number
  /** Calls back once after `milliseconds`, unless the returned function is called first. Keeps no process alive. */
  setTimer(milliseconds: number, callback: () => void): () => void
}

/** `getRandomValues` takes at most this many bytes a call (W3C Web Cryptography, 10.1.1). */
const RANDOM_BYTES_MAX = 65536

/** The host's randomness, clock and timers. Needs `globalThis.crypto` only once randomness is asked for. */
export const hostRuntime: Runtime = {
  fillRandom(bytes) {
    for (let start = 0; start < bytes.length; start += RANDOM_BYTES_MAX) {
      globalThis.crypto.getRandomValues(bytes.subarray(start, start + RANDOM_BYTES_MAX) as Uint8Array<ArrayBuffer>)
    }
  },
  now: () => performance.now(),
  setTimer(milliseconds, callback) {
    const timer: unknown = setTimeout(callback, milliseconds)
    if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function")
      timer.unref()
    return () => clearTimeout(timer as Parameters<typeof clearTimeout>[0])
  },
}
