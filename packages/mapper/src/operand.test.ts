import { describe, expect, test } from "vitest"
import { parseOperand } from "./operand.ts"

describe("operands", () => {
  test.each([
    ["disk.img", { kind: "file", path: "disk.img" }],
    ["/dev/loop0", { kind: "file", path: "/dev/loop0" }],
    ["./mem:1M", { kind: "file", path: "./mem:1M" }],
    ["a,b=c.img", { kind: "file", path: "a,b=c.img" }],
    ["disk.img,blocksize=4096", { kind: "file", path: "disk.img", blockSize: 4096 }],
    ["a,b,tagsize=28,blocksize=4096", { kind: "file", path: "a,b", blockSize: 4096, tagSize: 28 }],
    ["disk.img,tagsize=0", { kind: "file", path: "disk.img", tagSize: 0 }],
    ["mem:1024", { kind: "mem", size: 1024 }],
    ["mem:3k", { kind: "mem", size: 3072 }],
    ["mem:64M", { kind: "mem", size: 64 * 1024 ** 2 }],
    ["mem:2g", { kind: "mem", size: 2 * 1024 ** 3 }],
    ["mem:4T", { kind: "mem", size: 4 * 1024 ** 4 }],
    ["mem:1M,blocksize=4096", { kind: "mem", size: 1024 ** 2, blockSize: 4096 }],
    ["mem:1M,tagsize=28,blocksize=4096", { kind: "mem", size: 1024 ** 2, blockSize: 4096, tagSize: 28 }],
    ["mem:1024,tagsize=0", { kind: "mem", size: 1024, tagSize: 0 }],
    ["./mem:1M,tagsize=8", { kind: "file", path: "./mem:1M", tagSize: 8 }],
    ["nbd://host/export", { kind: "uri", scheme: "nbd", text: "nbd://host/export" }],
    ["nbd+unix:///e?socket=/s", { kind: "uri", scheme: "nbd+unix", text: "nbd+unix:///e?socket=/s" }],
    ["HTTPS://host/x", { kind: "uri", scheme: "https", text: "HTTPS://host/x" }],
    ["s3://bucket/key", { kind: "uri", scheme: "s3", text: "s3://bucket/key" }],
  ])("%s", (text, operand) => expect(parseOperand(text)).toEqual(operand))

  test.each([
    "",
    ",blocksize=512",
    "a\0b",
    "a,blocksize=",
    "a,blocksize=-512",
    "a,blocksize=0x200",
    "a,blocksize=256",
    "a,blocksize=513",
    "a,blocksize=2097152",
    "a,blocksize=512,blocksize=512",
    "a,tagsize=65536",
    "a,tagsize=1.5",
    "mem:",
    "mem:0",
    "mem:511",
    "mem:-1M",
    "mem:1MM",
    "mem:1536,blocksize=1024",
    "mem:1M,blocksize=4096,blocksize=4096",
    "mem:1M,blocksize=100",
    "mem:1M,tagsize=65536",
    "mem:1M,size=4096",
    "mem:,tagsize=8",
    "mem:8191T,tagsize=65535",
    "mem:9007199254740992",
    "mem:16384T",
    "mem:99999999999999999999T",
  ])("not %j", (text) => expect(() => parseOperand(text)).toThrow(expect.objectContaining({ code: "INVALID" })))

  test("the kernel's device numbers mean nothing here", () => {
    expect(() => parseOperand("254:0")).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }))
  })
})
