import { type BlockDevice, share } from "@blockstrata/device"

/** Devices that are open and that nothing owns yet: where building a table ends early, they are what must be closed. */
export class LooseDevices {
  readonly #devices = new Set<BlockDevice>()

  add(device: BlockDevice): BlockDevice {
    this.#devices.add(device)
    return device
  }

  /** The device has an owner now. */
  release(device: BlockDevice): void {
    this.#devices.delete(device)
  }

  /** Handles on `device` for as many users: the device itself for one, shares for more. */
  divide(device: BlockDevice, userCount: number): BlockDevice[] {
    if (userCount < 2) return [device]
    this.release(device)
    return Array.from({ length: userCount }, () => this.add(share(device)))
  }

  /** Closes all, last opened first. Closes the rest as well where one fails, then throws the first failure. */
  async close(): Promise<void> {
    const devices = [...this.#devices].reverse()
    this.#devices.clear()
    const failures: unknown[] = []
    for (const device of devices) {
      try {
        await device.close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
