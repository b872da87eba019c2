import { type BlockDevice, BlockError, checkDevice, defaultEngine, drawStack, encodeHex } from "blockstrata"
import { attacks, BLOCK_SIZE, partsOf, tryAttack } from "./attack.ts"
import { computeAttackTable, printAttackTable } from "./attack-table.ts"
import { expectedOutcomes } from "./expectation.ts"
import { createVolume, type Stack } from "./stack.ts"
import { tourStacks } from "./stacks.ts"
import { measureTreeLeak, type TreeLeak } from "./tree-leak.ts"

/** Tells the story, doing each step and checking its outcome. True if everything came out as it must. */
export async function tellStory(print: (line: string) => void): Promise<boolean> {
  let isAsExpected = true
  let stepCount = 0
  const step = (title: string) => print(`\n${(stepCount += 1)}. ${title}\n`)
  const check = (what: string, isGood: boolean) => {
    isAsExpected &&= isGood
    print(`   ${isGood ? "ok " : "NOT AS EXPECTED:"} ${what}`)
  }

  const [xts, aead, above, below] = await tourStacks()
  print("blockstrata: device-mapper in user space. A tour in which every line is computed as you watch.")

  step(`A volume that Linux ${aead.volume.kernel} wrote: dm-crypt AEAD over dm-integrity`)
  await tellOpening(aead, print, check)

  step("One bit flipped on the medium")
  await tellBitFlip(aead, print, check)

  step("One old block put back, with its old tag")
  await tellReplay(aead, print, check)

  step("A hash tree in the stack: above the decrypted volume, or below crypt")
  for (const stack of [above, below]) await tellHashTree(stack, print, check)

  step("What each order hides")
  await tellWhatIsHidden(above, below, print, check)

  step("Every attack on every stack")
  const table = await computeAttackTable([xts, aead, above, below])
  for (const line of printAttackTable(table).split("\n")) print(`   ${line}`)
  print("")
  const cells = table.rows.map(({ outcomes }) => outcomes)
  check(
    "every cell as it must be, those that are not caught included",
    JSON.stringify(cells) === JSON.stringify(expectedOutcomes),
  )

  print(isAsExpected ? "\nEverything came out as it must." : "\nNot everything came out as it must.")
  return isAsExpected
}

type Print = (line: string) => void
type Check = (what: string, isGood: boolean) => void

function show(print: Print, text: string): void {
  for (const line of text.split("\n")) print(`   ${line}`)
}

async function tellOpening(stack: Stack, print: Print, check: Check): Promise<void> {
  const device = await (await createVolume(stack)).open()
  for (const { name, line } of stack.volume.stack) show(print, `${name}: ${line.replace(/[0-9a-f]{64}/, "<key>")}`)
  show(print, `\n${drawStack(device)}\n`)
  const content = new Uint8Array(device.size)
  await device.read(0, content)
  const digest = encodeHex(defaultEngine.hash("sha256").digest(content))
  check(
    `${device.size} bytes decrypted and verified; SHA-256 is the one that the kernel's own reading has`,
    digest === stack.volume.sha256,
  )
  await device.close()
}

async function tellBitFlip(stack: Stack, print: Print, check: Check): Promise<void> {
  const volume = await createVolume(stack)
  const [data] = await partsOf(volume, 5 * BLOCK_SIZE)
  if (data !== undefined) data[1000] = (data[1000] ?? 0) ^ 0x10
  const device = await volume.open()
  const buffer = new Uint8Array(device.size).fill(0xff)
  const failure = await device.read(0, buffer).catch((error: unknown) => error)
  if (failure instanceof BlockError) show(print, `${failure.code}: ${failure.message}`)
  const isPlaced = failure instanceof BlockError && failure.code === "INTEGRITY" && failure.offset === 5 * BLOCK_SIZE
  check("the read rejects and names the block", isPlaced && failure.length === BLOCK_SIZE)
  check(
    "nothing unverified was released: the buffer is zero",
    buffer.every((byte) => byte === 0),
  )
  const { bad } = await checkDevice(device)
  check(
    "every other block still reads",
    bad.length === 1 && bad[0]?.offset === 5 * BLOCK_SIZE && bad[0].length === BLOCK_SIZE,
  )
  await device.close()
}

/** The attack of the table with this name, as one line. */
async function tellAttack(name: string, stack: Stack): Promise<string> {
  const attack = attacks.find((candidate) => candidate.name === name)
  return attack === undefined ? "" : await tryAttack(attack, await createVolume(stack))
}

async function tellReplay(stack: Stack, print: Print, check: Check): Promise<void> {
  const outcome = await tellAttack("replay of one block with its tag", stack)
  show(print, `the owner overwrote a block; the attacker put the old one and its tag back; the reader gets: ${outcome}`)
  check("NOT caught, exactly as in the kernel: the tag is authentic, only old", outcome === "accepted: old data")
}

async function tellHashTree(stack: Stack, print: Print, check: Check): Promise<void> {
  const volume = await createVolume(stack)
  const device: BlockDevice = await volume.open()
  show(print, `${stack.name}:\n${drawStack(device)}`)
  await device.close()
  const outcome = await tellAttack("replay of one block with its tag", stack)
  check("the same replay is caught: the owner kept a root hash that the old block does not match", outcome === "caught")
  print("")
}

async function tellWhatIsHidden(above: Stack, below: Stack, print: Print, check: Check): Promise<void> {
  const plain = await measureTreeLeak(await createVolume(above))
  const cipher = await measureTreeLeak(await createVolume(below))
  const describe = ({ dataCount, zeroCount, repeatedCount }: TreeLeak) =>
    `${zeroCount} of the volume's ${dataCount} blocks recognised, ${repeatedCount} hashes occur again`
  show(print, "An observer without the key hashes a block of zeroes with the public salt and looks for it in the tree:")
  show(print, `  tree over the plaintext:  ${describe(plain)}`)
  show(print, `  tree over the ciphertext: ${describe(cipher)}\n`)
  check("above, the tree tells of the plaintext: keep the hash device as secret as the data", plain.zeroCount > 0)
  check(
    "below, it tells nothing of it; anybody can verify without the key, tags and metadata included",
    cipher.zeroCount === 0 && cipher.repeatedCount === 0,
  )
}
