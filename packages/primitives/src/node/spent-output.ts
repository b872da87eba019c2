import { MessageChannel, type MessagePort } from "node:worker_threads"

// OpenSSL's outputs come in fresh memory, each time, until the collector runs: tens of megabytes that are in no cache, and
// page faults. Given back at once, the next output lies where the last one lay, and 64 KiB take half the time or less.
// To hand an ArrayBuffer over to nobody is the way to give it back.

/** Smaller outputs are not worth the call. */
const LENGTH_MIN = 4096
/**
 * Where a call is dear: bytes of outputs that it gives back at least. With one more output it stays below the 128 KiB from
 * which malloc gives memory back to the system, to ask for it again at once.
 */
const HELD_BYTES = 32 * 1024

/** Gives the memory of an output back to the host. It has a buffer of its own, and nobody reads it again. */
export const giveBack: (output: Uint8Array) => void =
  "transfer" in ArrayBuffer.prototype ? byTransfer : /* @__PURE__ */ byClosedPort()

/** Node 22 and later. */
function byTransfer(output: Uint8Array): void {
  if (output.length < LENGTH_MIN) return
  const buffer = output.buffer as ArrayBuffer & { transfer(length: number): ArrayBuffer }
  buffer.transfer(0)
}

/** What is sent to a closed port is taken from the sender and dropped (HTML, "message port post message steps"). */
function byClosedPort(): (output: Uint8Array) => void {
  let closedPort: MessagePort | undefined
  let held: ArrayBuffer[] = []
  let heldBytes = 0
  return (output) => {
    if (output.length < LENGTH_MIN) return
    held.push(output.buffer as ArrayBuffer)
    heldBytes += output.length
    if (heldBytes < HELD_BYTES) return
    closedPort ??= openClosedPort()
    closedPort.postMessage(undefined, held)
    held = []
    heldBytes = 0
  }
}

function openClosedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel()
  port1.close()
  port2.close()
  return port1
}
