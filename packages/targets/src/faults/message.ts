import { type BlockDevice, BlockError } from "@blockstrata/device"

/** What a target makes of a message, and what it answers; `""` where it answers nothing. */
export type MessageHandler = (words: readonly string[]) => Promise<string>

const handlers = new WeakMap<BlockDevice, MessageHandler>()

/** `device` takes messages from now on. */
export function onMessage(device: BlockDevice, handler: MessageHandler): void {
  handlers.set(device, handler)
}

/**
 * What `dmsetup message <device> 0 <text>` does: tells a target of a running stack something, as the kernel documents it for
 * that target. It goes to the first target from `device` downwards that takes messages.
 *
 * Of use where a table built the stack; whoever built it from targets holds their handles.
 * @returns the answer, without a newline at its end; mostly empty.
 * @throws BlockError `INVALID` if no target takes messages, or the target refuses this one as Linux does.
 */
export async function sendMessage(device: BlockDevice, text: string): Promise<string> {
  const handler = findHandler(device)
  const words = text.split(/\s+/).filter((word) => word !== "")
  if (handler === undefined || words.length === 0) {
    throw new BlockError("INVALID", `message: no target under ${device.layer.name} takes it`)
  }
  return await handler(words)
}

function findHandler(device: BlockDevice): MessageHandler | undefined {
  const own = handlers.get(device)
  if (own !== undefined) return own
  for (const lower of device.layer.lowers) {
    const found = findHandler(lower.device)
    if (found !== undefined) return found
  }
  return undefined
}
