import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { runChild } from "../harness/child-process.ts"
import { fillNoise } from "../harness/noise.ts"

const MIB = 1024 * 1024
const SECTOR_SIZE = 512
const KEY_SIZE = 64

/** A LUKS1 volume that cryptsetup formatted, or the payload alone where there is no cryptsetup. */
export interface LuksVolume {
  readonly path: string
  readonly keyPath: string
  readonly passphrasePath: string
  /** Bytes to the payload. */
  readonly payloadStart: number
  /** What lies beside it, as large as the payload. */
  readonly rawPath: string
}

/** The payload starts here in what cryptsetup formats by default, and where no header says otherwise. */
const DEFAULT_PAYLOAD_START = 2 * MIB
/** So few that nobody's time goes into the passphrase: this compares copies. */
const ITERATION_COUNT = "1000"

/** Makes a volume with `size` bytes of noise as payload, and a file of noise of the same size. */
export async function createLuksVolume(
  folder: string,
  size: number,
  cryptsetup: string | undefined,
): Promise<LuksVolume> {
  const place = (name: string): string => join(folder, name)
  const [path, keyPath, passphrasePath, rawPath] = [
    place("volume.luks"),
    place("volume-key"),
    place("passphrase"),
    place("raw.img"),
  ]
  const key = fillNoise(new Uint8Array(KEY_SIZE))
  writeFileSync(keyPath, key)
  writeFileSync(passphrasePath, "bench")
  writeNoise(path, DEFAULT_PAYLOAD_START + size)
  const payloadStart =
    cryptsetup === undefined ? DEFAULT_PAYLOAD_START : await format(cryptsetup, { path, keyPath, passphrasePath })
  truncateSync(path, payloadStart + size)
  writeNoise(rawPath, size)
  return { path, keyPath, passphrasePath, payloadStart, rawPath }
}

/** Formats with the key that is known. @returns bytes to the payload. */
async function format(
  cryptsetup: string,
  { path, keyPath, passphrasePath }: Pick<LuksVolume, "path" | "keyPath" | "passphrasePath">,
): Promise<number> {
  const cipher = ["--cipher", "aes-xts-plain64", "--key-size", String(KEY_SIZE * 8)]
  const keys = ["--master-key-file", keyPath, "--key-file", passphrasePath, "--pbkdf-force-iterations", ITERATION_COUNT]
  await runChild(cryptsetup, ["luksFormat", "--type", "luks1", "--batch-mode", ...cipher, ...keys, path])
  const dump = await runChild(cryptsetup, ["luksDump", path])
  const sectors = Number(/^Payload offset:\s+(\d+)$/m.exec(dump)?.[1])
  if (!Number.isSafeInteger(sectors)) throw new Error("cryptsetup luksDump: no payload offset")
  return sectors * SECTOR_SIZE
}

function writeNoise(path: string, size: number): void {
  const piece = fillNoise(new Uint8Array(MIB))
  const view = new DataView(piece.buffer)
  const fd = openSync(path, "w")
  for (let offset = 0; offset < size; offset += piece.length) {
    // No two pieces are equal.
    view.setFloat64(0, offset)
    writeSync(fd, piece, 0, Math.min(piece.length, size - offset))
  }
  closeSync(fd)
}
