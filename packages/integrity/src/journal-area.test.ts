import { createCipheriv } from "node:crypto"
import { memoryDevice } from "@blockstrata/device"
import { nodeEngine } from "@blockstrata/primitives/node"
import { portableEngine } from "@blockstrata/primitives/portable"
import { seededRandom } from "@blockstrata/testkit"
import { describe, expect, it } from "vitest"
import { type JournalArea, journalArea } from "./journal-area.ts"
import { journalCrypt } from "./journal-crypt.ts"
import { journalMac } from "./journal-mac.ts"
import { putSection, type SectionShape } from "./journal-section.ts"
import { sectionLayout } from "./layout.ts"

const COUNT = 30
const geometry = { blockSize: 512, tagSize: 4, hasJournalMac: true, hasFixedPadding: true, interleaveSectors: 8 }
const SHAPE: SectionShape = {
  ...geometry,
  journal: { offset: 4096, sectionCount: COUNT, ...sectionLayout({ ...geometry, journalSectionCount: COUNT }) },
}
const { sectionBytes } = SHAPE.journal
const KEYS: Record<string, number> = {
  "ctr(aes)": 16,
  "cbc(aes)": 24,
  "xts(aes)": 64,
  "lrw(aes)": 32,
  "ecb(aes)": 32,
  chacha20: 32,
}
const key = (name: string) => seededRandom(1, name).bytes(KEYS[name] ?? 32)
const sizeBytes = 4096 + COUNT * sectionBytes

function areaOf(bytes: Uint8Array, cipher: string | undefined, engine = nodeEngine, salt?: Uint8Array): JournalArea {
  return journalArea({
    lower: memoryDevice({ bytes }),
    shape: SHAPE,
    crypt: cipher === undefined ? undefined : journalCrypt(engine, { name: cipher, key: key(cipher) }, SHAPE.journal),
    mac: journalMac(SHAPE, engine.hmac("sha256", key("mac")), salt),
  })
}

/** Sections with an entry each. */
function sections(count: number): Uint8Array {
  const random = seededRandom(2, "sections")
  const bytes = new Uint8Array(count * sectionBytes)
  for (let start = 0; start < bytes.length; start += sectionBytes) {
    const section = bytes.subarray(start, start + sectionBytes)
    const offsets = Float64Array.from([0, 1, 2, 3], (index) => (start + index) * 512)
    putSection(section, SHAPE, { count: 4, offsets, data: random.bytes(4 * 512), tags: random.bytes(4 * 4) })
  }
  return bytes
}

describe.each([undefined, ...Object.keys(KEYS)])("a journal encrypted by %s", (cipher) => {
  it("comes back as it was written, from any section on, on both engines to the same bytes", async () => {
    const images = [nodeEngine, portableEngine].map(() => new Uint8Array(sizeBytes))
    for (const [index, engine] of [nodeEngine, portableEngine].entries()) {
      const area = areaOf(images[index]!, cipher, engine)
      await area.clear(0, COUNT, 0)
      const written = sections(5)
      await area.write(7, written, 2)
      const found = new Uint8Array(3 * sectionBytes)
      await area.read(8, found)
      const expected = sections(5)
      const strip = (bytes: Uint8Array) => bytes.filter((_, at) => at % 512 < 496)
      expect(Buffer.compare(strip(found), strip(expected.subarray(sectionBytes, 4 * sectionBytes)))).toBe(0)
      expect(area.mac?.matches(found.subarray(0, sectionBytes), 8)).toBe(true)
      expect(area.mac?.matches(found.subarray(0, sectionBytes), 8)).toBe(true)
      area.destroy()
    }
    expect(Buffer.compare(images[0]!, images[1]!)).toBe(0)
  })

  it("does not show its commit ids if it is a stream, and nothing else in any case but none", async () => {
    const bytes = new Uint8Array(sizeBytes)
    await areaOf(bytes, cipher).clear(0, COUNT, 0)
    const plain = new Uint8Array(sizeBytes)
    await areaOf(plain, undefined).clear(0, COUNT, 0)
    expect(Buffer.compare(bytes, plain) === 0).toBe(cipher === undefined)
  })
})

describe("the MAC of a section", () => {
  const salts = [undefined, new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]
  const sealed = async (salt: Uint8Array | undefined) => {
    const area = areaOf(new Uint8Array(sizeBytes), undefined, nodeEngine, salt)
    await area.write(0, sections(2), 0)
    const found = new Uint8Array(sectionBytes)
    await area.read(1, found)
    return { area, found }
  }

  it("covers the place of every entry, not its data", async () => {
    const { area, found } = await sealed(salts[1])
    expect(area.mac?.matches(found, 1)).toBe(true)
    for (const [at, isCovered] of [
      [3 * 512, true],
      [3 * 512 + 7, true],
      [496, true],
      [8 * 512 + 9, false],
      [504, false],
    ] as const) {
      found[at]! ^= 1
      expect(area.mac?.matches(found, 1)).toBe(!isCovered)
      found[at]! ^= 1
    }
  })

  it("is of one section and one volume with a salt, of any without", async () => {
    for (const salt of salts) {
      const { found } = await sealed(salt)
      for (const other of salts) {
        const { area } = await sealed(other)
        expect(area.mac?.matches(found, 1)).toBe(other === salt)
        expect(area.mac?.matches(found, 0)).toBe(salt === undefined && other === undefined)
      }
    }
  })
})

it("encrypts each section by cbc(aes) as one message, its IV the encryption of its number", () => {
  const name = "cbc(aes)"
  const crypt = journalCrypt(nodeEngine, { name, key: key(name) }, SHAPE.journal)
  const found = new Uint8Array(3 * sectionBytes)
  crypt.encrypt(found, 5)
  const openssl = (iv: Uint8Array, text: Uint8Array) =>
    createCipheriv("aes-192-cbc", key(name), iv).setAutoPadding(false).update(text)
  for (const index of [0, 1, 2]) {
    const number = Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? 5 + index : 0))
    const expected = openssl(openssl(new Uint8Array(16), number), new Uint8Array(sectionBytes))
    expect(Buffer.compare(found.subarray(index * sectionBytes, (index + 1) * sectionBytes), expected)).toBe(0)
  }
})

it("refuses other ciphers, and keys that a cipher does not take, without naming them", () => {
  const open = (name: string, length: number) => () =>
    journalCrypt(nodeEngine, { name, key: new Uint8Array(length).fill(0x41) }, SHAPE.journal)
  expect(open("ctr(serpent)", 32)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }))
  expect(open("toString", 32)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }))
  for (const name of Object.keys(KEYS)) expect(open(name, 5)).toThrow(expect.objectContaining({ code: "INVALID" }))
})
