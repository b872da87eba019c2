import { readFile } from "node:fs/promises"
import { promisify } from "node:util"
import { gunzip } from "node:zlib"

/** A volume that the Linux kernel wrote, as it stands in `test/vectors`. */
export interface KernelVolume {
  readonly name: string
  /** The images by name, raw. Fresh memory: the tour changes it. */
  readonly images: ReadonlyMap<string, Uint8Array>
  /** The device-mapper lines, lowest device first. An operand `img:NAME` is an image, a bare name a device below. */
  readonly stack: readonly { readonly name: string; readonly line: string }[]
  /** SHA-256 of what the kernel read from the top device. */
  readonly sha256: string
  readonly kernel: string
}

interface Manifest {
  readonly tools: { readonly uml: string }
  readonly images: Readonly<Record<string, { readonly file: string }>>
  readonly stack: KernelVolume["stack"]
  readonly expect: { readonly sha256: string }
}

const vectors = new URL("../../../test/vectors/", import.meta.url)

export async function loadKernelVolume(name: string): Promise<KernelVolume> {
  const folder = new URL(`${name}/`, vectors)
  const manifest = JSON.parse(await readFile(new URL("manifest.json", folder), "utf8")) as Manifest
  const images = new Map<string, Uint8Array>()
  for (const [image, { file }] of Object.entries(manifest.images)) {
    images.set(image, new Uint8Array(await promisify(gunzip)(await readFile(new URL(file, folder)))))
  }
  const kernel = manifest.tools.uml.split(" ")[0] ?? ""
  return { name, images, stack: manifest.stack, sha256: manifest.expect.sha256, kernel }
}
