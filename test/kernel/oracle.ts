import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { runProcess } from "../process.ts"
import { isOracleAble } from "./oracle-host.ts"

/** What stands in the name of a test that asks the kernel: what the oracle of this folder needs. */
export const ORACLE_NEEDS = "needs Debian 12 on amd64, root and apt-get"

/**
 * The program that runs a script in a real Linux kernel: `kernel-oracle run [OPTIONS] SCRIPT IMAGE...`. The one that
 * `BLOCKSTRATA_ORACLE` names, else this folder's where it can work, which the first time fetches what it needs.
 */
export const ORACLE: string | undefined =
  process.env["BLOCKSTRATA_ORACLE"] ||
  (isOracleAble() ? fileURLToPath(new URL("kernel-oracle", import.meta.url)) : undefined)

/** A folder for images, which the script sees as `/share`. */
export async function withFolder<Value>(work: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), "blockstrata-kernel-"))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** `uml` is the user-mode kernel, which has targets that Debian's other 6.1 lacks; trixie's is Linux 6.12. */
export type Guest = "tcg" | "uml" | "trixie"

/**
 * Runs a script as root in Debian's Linux 6.1, or the guest given, and returns what it printed. `images` are files in
 * `folder`, `/dev/img0`, `/dev/img1` ... for the script; `name,bs=4096,ms=64` is one with larger blocks that carry 64 bytes
 * of metadata each, after all data in the file.
 * @throws Error if the script does not end in status 0.
 */
export async function runInKernel(
  folder: string,
  script: string,
  images: readonly string[],
  guest: Guest = "tcg",
): Promise<string> {
  await writeFile(join(folder, "script.sh"), script)
  const paths = images.map((image) => join(folder, image))
  const kernel = guest === "trixie" ? ["--accel", "tcg", "--kernel", "trixie"] : ["--accel", guest]
  const args = ["run", ...kernel, "--share", folder, "--timeout", "500", join(folder, "script.sh"), ...paths]
  const { status, stdout, stderr } = await runProcess(ORACLE ?? "", args, folder)
  if (status !== 0)
    throw new Error(`the kernel's script ended in ${status}: ${stdout.slice(-2000)}${stderr.slice(-2000)}`)
  return stdout
}
