import type { BlockDevice } from "@blockstrata/device"

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]

/**
 * The stack as a tree of text, the volume on top: one line a layer, with its size and what matters of its shape.
 *
 * Handles on shared devices are not drawn. A device that is used twice stands twice, what is below it only once: else a
 * short table could ask for a drawing without end.
 */
export function drawStack(device: BlockDevice): string {
  return drawLayer(unshared(device), new Set()).join("\n")
}

function drawLayer(device: BlockDevice, drawn: Set<BlockDevice>): string[] {
  const { lowers } = device.layer
  if (lowers.length > 0 && drawn.has(device)) return [`${describeLayer(device)}, drawn above`]
  drawn.add(device)
  const below = lowers.flatMap(({ role, device: lower }, index) => {
    const [first = "", ...rest] = drawLayer(unshared(lower), drawn)
    const isLast = index === lowers.length - 1
    return [`${isLast ? "└─" : "├─"} ${role}: ${first}`, ...rest.map((line) => `${isLast ? "  " : "│ "} ${line}`)]
  })
  return [describeLayer(device), ...below]
}

function describeLayer({ layer, size, blockSize, tagSize, features }: BlockDevice): string {
  const tags = tagSize > 0 ? `, ${tagSize} bytes of tag a block` : ""
  return `${layer.name}  ${formatSize(size)} in blocks of ${blockSize}${tags}${features.write ? "" : ", read-only"}`
}

function unshared(device: BlockDevice): BlockDevice {
  const [below] = device.layer.lowers
  return device.layer.name === "share" && below !== undefined ? unshared(below.device) : device
}

/** The largest unit that leaves a whole number, so that the figure is exact. */
function formatSize(size: number): string {
  let [value, unit] = [size, 0]
  while (value > 0 && value % 1024 === 0 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1]
  return `${value} ${UNITS[unit]}`
}
