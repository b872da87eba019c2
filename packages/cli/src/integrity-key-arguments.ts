import type { Command } from "commander"

/** What a dm-integrity volume does not say of itself: its hash, its keys, and where its data lie. */
export interface IntegrityKeyArguments {
  readonly integrity?: string
  readonly integrityKeyFile?: string
  readonly journalIntegrity?: string
  readonly journalIntegrityKeyFile?: string
  readonly journalCrypt?: string
  readonly journalCryptKeyFile?: string
  readonly dataDevice?: string
}

/** Declares them, as integritysetup spells them. */
export function addIntegrityKeys(command: Command): Command {
  return command
    .option(
      "-I, --integrity <ALG>",
      "dm-integrity: crc32c, sha256, hmac-sha256 ..., or none for a store of tags; crc32c if not given",
    )
    .option("--integrity-key-file <FILE>", "the key of an HMAC, raw; - for stdin")
    .option("--journal-integrity <ALG>", "the MAC of the journal: hmac-sha256 ...")
    .option("--journal-integrity-key-file <FILE>", "its key, raw; - for stdin")
    .option("--journal-crypt <ALG>", "the cipher of the journal: ctr-aes, cbc-aes ...")
    .option("--journal-crypt-key-file <FILE>", "its key, raw; - for stdin")
    .option("--data-device <FILE>", "dm-integrity: IMAGE is the metadata, FILE the data")
}
