import type { Family } from "../case.ts"
import { cryptFamily } from "./crypt.ts"
import { integrityFamily } from "./integrity.ts"
import { plainFamily } from "./plain-targets.ts"
import { verityFamily } from "./verity.ts"

/** All kinds of lines. A new target gets a file of its own beside these: what must occur, and how a line is drawn. */
export const FAMILIES: readonly Family[] = [cryptFamily, integrityFamily, verityFamily, plainFamily]
