import {
  type BlockDevice,
  BlockError,
  baseExtents,
  checkDevice,
  defaultEngine,
  drawStack,
  encodeHex,
} from "blockstrata"
import {
  computeAttackTable,
  expectedOutcomes,
  printAttackTable,
  TOUR_ATTACKS,
  type TourOutcome,
} from "./attack-table.ts"
import { createVolume, type TourStack, type TourVolume } from "./stack.ts"
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

const BLOCK_SIZE = 4096
/** The block that the tour damages. */
const BAD_OFFSET: number = 5 * BLOCK_SIZE

type Print = (line: string) => void
type Check = (what: string, isGood: boolean) => void

function show(print: Print, text: string): void {
  for (const line of text.split("\n")) print(`   ${line}`)
}

async function tellOpening(stack: TourStack, print: Print, check: Check): Promise<void> {
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

async function tellBitFlip(stack: TourStack, print: Print, check: Check): Promise<void> {
  const volume = await createVolume(stack)
  const device = await volume.open()
  flipBit(volume, device, BAD_OFFSET + 1000)
  const buffer = new Uint8Array(device.size).fill(0xff)
  const failure = await device.read(0, buffer).catch((error: unknown) => error)
  if (failure instanceof BlockError) show(print, `${failure.code}: ${failure.message}`)
  const isPlaced = failure instanceof BlockError && failure.code === "INTEGRITY" && failure.offset === BAD_OFFSET
  check("the read rejects and names the block", isPlaced && failure.length === BLOCK_SIZE)
  check(
    "nothing unverified was released: the buffer is zero",
    buffer.every((byte) => byte === 0),
  )
  const { bad } = await checkDevice(device)
  check(
    "every other block still reads",
    bad.length === 1 && bad[0]?.offset === BAD_OFFSET && bad[0].length === BLOCK_SIZE,
  )
  await device.close()
}

/** Changes one bit on the medium below this byte of the volume. */
function flipBit({ media }: TourVolume, device: BlockDevice, offset: number): void {
  const inBlock = offset % BLOCK_SIZE
  const [place] = baseExtents(device, offset - inBlock, BLOCK_SIZE)
  const content = media.byName.get(place?.device.layer.name ?? "")?.current.data
  if (place === undefined || content === undefined) throw new RangeError("no medium below the volume")
  const byte = new Uint8Array(1)
  content.read(place.offset + inBlock, byte)
  content.write(
    place.offset + inBlock,
    byte.map((value) => value ^ 0x10),
  )
}

/** What the reader gets after one old block, with its tag, was put back. */
async function replayOutcome(stack: TourStack): Promise<TourOutcome | undefined> {
  const { rows } = await computeAttackTable(
    [stack],
    TOUR_ATTACKS.filter(({ id }) => id === "A5"),
  )
  return rows[0]?.outcomes[0]
}

async function tellReplay(stack: TourStack, print: Print, check: Check): Promise<void> {
  const outcome = await replayOutcome(stack)
  show(print, `the owner overwrote a block; the attacker put the old one and its tag back; the reader gets: ${outcome}`)
  check("NOT caught, exactly as in the kernel: the tag is authentic, only old", outcome === "accepted: old data")
}

async function tellHashTree(stack: TourStack, print: Print, check: Check): Promise<void> {
  const volume = await createVolume(stack)
  const device: BlockDevice = await volume.open()
  show(print, `${stack.name}:\n${drawStack(device)}`)
  await device.close()
  const outcome = await replayOutcome(stack)
  check("the same replay is caught: the owner kept a root hash that the old block does not match", outcome === "caught")
  print("")
}

async function tellWhatIsHidden(above: TourStack, below: TourStack, print: Print, check: Check): Promise<void> {
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
