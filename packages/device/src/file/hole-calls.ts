import { createRequire } from "node:module"

/** The two system calls on holes that Node does not have. Failures are thrown like Node's own system errors. */
export interface HoleCalls {
  /** lseek with SEEK_DATA or SEEK_HOLE. Undefined: there is none up to the end of the file. */
  seek(fd: number, position: number, kind: "data" | "hole"): number | undefined
  /** fallocate, on the caller's thread or on libuv's pool. */
  allocate(fd: number, mode: number, offset: number, length: number, isSync: boolean): Promise<void>
}

export interface HoleLoader {
  /** Whether the calls are likely to load. Loads nothing. */
  isInstalled(): boolean
  /** The calls, or undefined where they cannot be had. */
  load(): HoleCalls | undefined
}

/** Types only: the module itself may be absent. */
type Koffi = Pick<typeof import("koffi"), "load" | "errno" | "os">

/** lseek(2). */
const WHENCE = { data: 3, hole: 4 } as const
/** The signatures below hold where `int` has 32 bits and `off_t` has 64. */
const PLATFORMS: ReadonlySet<string> = new Set([
  "linux x64",
  "linux arm64",
  "linux riscv64",
  "linux loong64",
  "linux ppc64",
])

/**
 * The calls by way of koffi, an optional peer dependency. It is resolved when first asked for (1 ms) and loaded when
 * first used (5 ms); afterwards a call takes under 1 us. Not an import, so that a bundler does not look for it.
 */
export const koffiHoleLoader: HoleLoader = holeLoader(
  () => createRequire(import.meta.url),
  `${process.platform} ${process.arch}`,
)

/** What is used of a module's `require`. */
interface Require {
  (name: string): unknown
  resolve(name: string): string
}

/** A loader that asks for koffi once for each answer. In a CommonJS bundle even `getRequire` may throw. */
export function holeLoader(getRequire: () => Require, platform: string): HoleLoader {
  let isInstalled: boolean | undefined
  let calls: { readonly found: HoleCalls | undefined } | undefined
  return {
    isInstalled: () =>
      (isInstalled ??= PLATFORMS.has(platform) && attempt(() => getRequire().resolve("koffi")) !== undefined),
    load() {
      calls ??= { found: PLATFORMS.has(platform) ? attempt(() => bind(getRequire()("koffi") as Koffi)) : undefined }
      return calls.found
    },
  }
}

/** Whatever goes wrong (not installed, built for another libc, no such symbol), the calls cannot be had. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

function bind(koffi: Koffi): HoleCalls {
  const libc = koffi.load(null)
  const lseek = libc.func("int64_t lseek(int, int64_t, int)")
  const fallocate = libc.func("int fallocate(int, int, int64_t, int64_t)")

  function systemError(syscall: string): Error {
    const errno = koffi.errno()
    const code = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`
    return Object.assign(new Error(`${syscall}: ${code}`), { errno: -errno, code, syscall })
  }

  return {
    seek(fd, position, kind) {
      const found: number = lseek(fd, position, WHENCE[kind])
      if (found >= 0) return found
      if (koffi.errno() === koffi.os.errno.ENXIO) return undefined
      throw systemError("lseek")
    },
    async allocate(fd, mode, offset, length, isSync) {
      const result: number = isSync
        ? fallocate(fd, mode, offset, length)
        : await new Promise<number>((resolve, reject) => {
            // koffi hands errno over with the call, so that it is this call's in the callback.
            fallocate.async(fd, mode, offset, length, (error: Error | null, value: number) => {
              if (error !== null) reject(error)
              else if (value < 0) reject(systemError("fallocate"))
              else resolve(value)
            })
          })
      if (result < 0) throw systemError("fallocate")
    },
  }
}
