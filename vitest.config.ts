import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { configDefaults, defineConfig } from "vitest/config"

const root = fileURLToPath(new URL(".", import.meta.url))

/** Tests run on the sources: no build stands between an edit and a test. */
const alias = [
  { find: "#default-engine", replacement: `${root}packages/primitives/src/node/index.ts` },
  { find: "#files", replacement: `${root}packages/blockstrata/src/files.ts` },
  { find: /^@blockstrata\/bench$/, replacement: `${root}bench/src/index.ts` },
  { find: /^blockstrata$/, replacement: `${root}packages/blockstrata/src/index.ts` },
  { find: /^@blockstrata\/([^/]+)$/, replacement: `${root}packages/$1/src/index.ts` },
  { find: /^@blockstrata\/([^/]+)\/([^/]+)$/, replacement: `${root}packages/$1/src/$2/index.ts` },
]

export default defineConfig(({ mode }) => {
  if (mode === "slow") process.env["SLOW"] = "1"
  const isSlow = process.env["SLOW"] === "1"
  const timeoutMs = isSlow ? 600_000 : 30_000
  return {
    resolve: { alias },
    test: {
      include: ["packages/*/src/**/*.test.ts", "bench/src/**/*.test.ts", "test/**/*.test.ts"],
      exclude: [...configDefaults.exclude, ...(isSlow ? [] : ["test/kernel/**", "**/*.slow.test.ts"])],
      globalSetup: ["test/seed.ts"],
      setupFiles: ["test/setup.ts"],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      // On two cores too both have work: files that load while others run.
      maxWorkers: Math.max(2, availableParallelism() - 1),
    },
  }
})
