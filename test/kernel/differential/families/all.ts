import type { Family } from "../case.ts"
import { cryptFamily } from "./crypt.ts"
import { integrityFamily } from "./integrity.ts"
import { plainFamily } from "./plain-targets.ts"
import { verityFamily } from "./verity.ts"

export const FAMILIES: readonly Family[] = [cryptFamily, integrityFamily, verityFamily, plainFamily]
