/**
 * Crypt lines and what becomes of them, found by loading each into Linux 6.1 (Debian's kernel). Written
 * `cipher key [iv_offset device start [options]]`: `<32>` is a key of 32 bytes, `D` a disk of 8 MiB, `T28/4096` a
 * dm-integrity volume that keeps 28 bytes of tag for blocks of 4096 bytes (512 if not said), `8:` before a line its length
 * in sectors (64 if not said). Ciphers that depend on how a kernel was configured are not here.
 */
export interface CryptLineCase {
  /** As written below. */
  readonly name: string
  readonly sizeSectors: number
  /** With the device operand as written: `D` or `T...`. */
  readonly args: readonly string[]
}

/** A key of `size` bytes in hexadecimal: byte i is 7i + 1. */
export function hexKey(size: number): string {
  return Array.from({ length: size }, (_, index) => ((index * 7 + 1) % 256).toString(16).padStart(2, "0")).join("")
}

/** The keys in the keyring: type, description, size; every byte is the letter k. */
export const KEYRING: readonly (readonly [string, string, number])[] = [
  ["logon", "p:32", 32],
  ["logon", "p:64", 64],
  ["logon", "p:96", 96],
  ["user", "k64", 64],
]

function lines(text: string): CryptLineCase[] {
  return text
    .trim()
    .split(/ \| |\n/)
    .map((part) => {
      const name = part.trim()
      const [, length = "64", line = ""] = /^(?:(\d+): )?(.*)$/.exec(name) ?? []
      const words = line.split(" ").map((word) => word.replace(/^<(\d+)>/, (_, size) => hexKey(Number(size))))
      return { name, sizeSectors: Number(length), args: words.length === 2 ? [...words, "0", "D", "0"] : words }
    })
}

/** Linux takes these and so do we. */
export const ACCEPTED_LINES: readonly CryptLineCase[] = lines(`
  aes-cbc-essiv:md5 <32> | aes-cbc-essiv:sha3-256 <16> | capi:essiv(cbc(aes),md5)-plain64 <32>
  capi:authenc(hmac(md5),xts(aes))-plain64 <80> 0 T16 0 1 integrity:16:aead
  capi:authenc(hmac(rmd160),cbc(aes))-random <52> 0 T36 0 1 integrity:36:aead
  capi:authenc(hmac(sha3-256),ctr(aes))-plain64 <64> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <96> 0 T16 0 1 integrity:16:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <96> 0 T31 0 1 integrity:31:aead
  capi:authenc(hmac(sha256),xts(aes))-random <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-random <96> 0 T47 0 1 integrity:47:aead
  aes-cbc-lmk <16> | aes-cbc-lmk <32> | aes-cbc-lmk:x <32> | aes:2-cbc-lmk <32> | aes:2-cbc-lmk <48>
  aes:64-cbc-lmk <1024> | aes:64-cbc-lmk <1040> | aes:64-cbc-lmk <2080> | capi:cbc(aes)-lmk <1024>
  capi:cbc(aes)-lmk <1040> | capi:ecb(aes)-lmk <1024> | capi:cbc(aes)-lmk <2048> | aes-cbc-lmk <32> 5 D 8 1 iv_large_sectors
  aes-cbc-tcw <48> | aes-cbc-tcw <64> | aes-xts-tcw <96> | aes-lrw-tcw <64> | aes-ctr-tcw <48> | aes:2-cbc-tcw <64>
  capi:cbc(aes)-tcw <56> | aes-cbc-tcw:x <64> | capi:essiv(cbc(aes),sha256)-tcw <64>
  aes-cbc-elephant <32> | aes-cbc-elephant <48> | aes-cbc-elephant <64> | aes-xts-elephant <64> | aes-lrw-elephant <64>
  aes:2-cbc-elephant <64> | capi:cbc(aes)-elephant <32> | aes-cbc-elephant <64> 8 D 0 2 sector_size:4096 iv_large_sectors
  capi:essiv(cbc(aes),sha256)-elephant <64> | aes-ecb-lmk <32> | aes-ecb-tcw <32> | aes-ecb-elephant <16>
  capi:rfc4309(ccm(aes))-random <35> 0 T24 0 1 integrity:24:aead
  capi:rfc4309(ccm(aes))-plain64 <35> 0 T16 0 1 integrity:16:aead
  xchacha20,aes-adiantum-plain64 <32> | xchacha12,aes-adiantum-plain64 <32> | capi:adiantum(xchacha12,aes)-plain64 <32>
  aes-xts-plain64 <64> | aes-xts-plain64 <32> | aes-xts-plain64 <48> | aes-cbc-essiv:sha256 <16>
  aes-cbc-essiv:sha256 <24> | aes-cbc-essiv:sha256 <32> | aes-cbc-plain64 <16> | aes-cbc-plain64 <24>
  aes-cbc-plain64 <32> | capi:xts(aes)-plain64 <64> | capi:xts(aes)-plain64 <32> | capi:xts(aes)-plain64 <48>
  capi:cbc(aes)-essiv:sha256 <32> | capi:cbc(aes)-essiv:sha256 <16> | capi:cbc(aes)-plain64 <32>
  capi:essiv(cbc(aes),sha256)-plain64 <32> | capi:essiv(cbc(aes),sha256)-plain64 <16> | aes-xts-plain64 :64:user:k64
  aes-xts-plain64 :64:logon:p:64 | aes-xts-plain64 :064:logon:p:64 | aes-xts-plain64 <64> 8 D 0
  aes-xts-plain64 <64> 18446744073709551615 D 0 | aes-xts-plain64 <64> 18446744073709551608 D 0
  aes-xts-plain64 <64> 08 D 0 | aes-xts-plain64 <64> 9223372036854775808 D 0 | aes-xts-plain64 <64> 0 D 8
  aes-xts-plain64 <64> 0 D 1 | aes-xts-plain64 <64> 0 D 08
  aes-xts-plain64 <64> 8 D 0 2 sector_size:4096 iv_large_sectors | aes-xts-plain64 <64> 8 D 0 1 sector_size:4096
  aes-xts-plain64 <64> 0 D 8 1 sector_size:4096 | 8: aes-xts-plain64 <64> 0 D 0 1 sector_size:4096
  aes-xts-plain64 <64> 0 D 0 1 sector_size:512 | aes-xts-plain64 <64> 0 D 0 1 sector_size:1024
  aes-xts-plain64 <64> 0 D 0 1 sector_size:2048 | aes-xts-plain64 <64> 0 D 0 1 sector_size:4096
  aes-xts-plain64 <64> 0 D 0 1 sector_size:0512 | aes-xts-plain64 <64> 0 D 0 0
  aes-xts-plain64 <64> 0 D 0 1 allow_discards | aes-xts-plain64 <64> 0 D 0 1 same_cpu_crypt
  aes-xts-plain64 <64> 0 D 0 1 submit_from_crypt_cpus | aes-xts-plain64 <64> 0 D 0 1 no_read_workqueue
  aes-xts-plain64 <64> 0 D 0 1 no_write_workqueue | aes-xts-plain64 <64> 0 D 0 1 iv_large_sectors
  aes-xts-plain64 <64> 0 D 0 8 allow_discards same_cpu_crypt submit_from_crypt_cpus no_read_workqueue no_write_workqueue sector_size:4096 iv_large_sectors iv_large_sectors
  aes-xts-plain64 <64> 0 D 0 7 iv_large_sectors sector_size:4096 no_write_workqueue no_read_workqueue submit_from_crypt_cpus same_cpu_crypt allow_discards
  aes-xts-plain64 <64> 0 D 0 7 iv_large_sectors sector_size:1024 no_write_workqueue no_read_workqueue submit_from_crypt_cpus same_cpu_crypt allow_discards
  aes-xts-plain64 <64> 0 D 0 2 allow_discards allow_discards
  aes-xts-plain64 <64> 0 D 0 2 sector_size:4096 sector_size:1024 | aes-xts-plain64 <64> 0 D 0 1 ALLOW_DISCARDS
  aes-xts-plain64 <64> 0 D 0 1 Allow_Discards | aes-xts-plain64 <64> 0 D 0 2 sector_size:512 iv_large_sectors
  aes-xts-plain64 <64> 0 D 0 01 allow_discards | capi:gcm(aes)-random <32> 0 T28 0 1 integrity:28:aead
  capi:gcm(aes)-random <16> 0 T28 0 1 integrity:28:aead | capi:gcm(aes)-random <24> 0 T28 0 1 integrity:28:aead
  capi:gcm(aes)-random <32> 0 T28/4096 0 2 integrity:28:aead sector_size:4096
  capi:gcm(aes)-random <32> 0 T28 0 1 integrity:028:aead
  capi:rfc7539(chacha20,poly1305)-random <32> 0 T28 0 1 integrity:28:aead
  capi:rfc7539(chacha20,poly1305)-random <32> 0 T28/4096 0 2 integrity:28:aead sector_size:4096
  capi:authenc(hmac(sha256),xts(aes))-plain64 <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <64> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <80> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-random <96> 0 T48 0 1 integrity:48:aead
  capi:authenc(hmac(sha256),xts(aes))-random <64> 0 T48 0 1 integrity:48:aead
  capi:authenc(hmac(sha256),xts(aes))-random <80> 0 T48 0 1 integrity:48:aead | aes-xts-plain64 <64> 0 T16 0 0
  capi:gcm(aes)-random <32> 0 T28 0 2 integrity:28:aead allow_discards
  capi:gcm(aes)-random <32> 0 T28 0 2 allow_discards integrity:28:aead
  capi:gcm(aes)-random <32> 0 T28 0 1 integrity:28:AEAD
  capi:gcm(aes)-random <32> 0 T28 0 2 integrity:28:aead integrity:28:aead
  capi:gcm(aes)-random <32> 0 T28 0 2 integrity:28:aead sector_size:512
  capi:gcm(aes)-random <32> 0 T28 0 2 integrity:28:aead iv_large_sectors
  capi:gcm(aes)-random <32> 0 T28/4096 0 3 integrity:28:aead sector_size:4096 iv_large_sectors
  capi:gcm(aes)-random <32> 0 T28/4096 0 3 sector_size:4096 iv_large_sectors integrity:28:aead
  capi:gcm(aes)-random <32> 8 T28 0 1 integrity:28:aead | capi:gcm(aes)-random <32> 0 T28 8 1 integrity:28:aead
  capi:gcm(aes)-random <32> 18446744073709551615 T28 0 1 integrity:28:aead | aes-xts-plain64 <64> 0 T28/4096 0 0
  aes-xts-plain64 <64> 0 T28/4096 0 1 sector_size:4096
  capi:gcm(aes)-random :32:logon:p:32 0 T28 0 1 integrity:28:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 :96:logon:p:96 0 T32 0 1 integrity:32:aead | aes-xts-essiv:sha256 <64>
  aes-ctr-essiv:sha256 <32> | aes-cbc-plain64:foo <32> | aes-cbc-plain64: <32> | aes-xts-plain64:sha256 <64>
  aes-cbc-plain <32> | aes-xts-plain <64> | aes-xts-plain64be <64> | aes-cbc-null <32> | aes-cbc-benbi <32>
  aes-cbc-eboiv <32> | aes-xts-eboiv <64> | aes-ecb <32> | aes-ecb-plain64 <32> | aes-ctr-plain64 <32>
  aes-lrw-benbi <48> | aes-lrw-plain64 <48> | aes <32> | aes-plain <32> | aes:1-cbc-plain64 <32>
  aes:2-cbc-plain64 <32> | aes:2-xts-plain64 <128> | aes:64-cbc-plain64 <1024> | aes:4-cbc-plain64 <64>
  aes:01-cbc-plain64 <32> | capi:essiv(cbc(aes),sha256)-essiv:sha256 <32>
  capi:essiv(cbc(aes),sha256)-plain64be <32> | capi:essiv(xts(aes),sha256)-plain64 <64>
  capi:essiv(cbc(aes),sha256)-null <32> | capi:xts(aes)-plain64:foo <64> | capi:xts(aes)-plain <64>
  capi:xts(aes)-essiv:sha256 <64> | capi:ctr(aes)-plain64 <32> | capi:ecb(aes)-plain64 <32> | capi:ecb(aes) <32>
  capi:lrw(aes)-benbi <48> | capi:cbc(aes)-plain64be <32> | capi:cbc(aes)-null <32> | capi:cbc(aes)-eboiv <32>
  aes-xts-plain64 <64> 0 D 0 1 integrity:16:none | capi:gcm(aes)-random:x <32> 0 T28 0 1 integrity:28:aead
  capi:authenc(hmac(sha512),xts(aes))-random <128> 0 T80 0 1 integrity:80:aead
  capi:xts(aes)-random <64> 0 T16 0 1 integrity:16:none | aes-xts-random <64> 0 T16 0 1 integrity:16:none
  capi:cbc(aes)-random <32> 0 T16 0 1 integrity:16:none
  capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256 <64> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),cbc(aes))-plain64 <64> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),cbc(aes))-random <64> 0 T48 0 1 integrity:48:aead
  capi:authenc(hmac(sha1),xts(aes))-plain64 <84> 0 T20 0 1 integrity:20:aead
  capi:authenc(hmac(sha512),xts(aes))-plain64 <128> 0 T64 0 1 integrity:64:aead
  capi:authenc(hmac(sha384),xts(aes))-plain64 <112> 0 T48 0 1 integrity:48:aead
  capi:authenc(hmac(sha256),ctr(aes))-random <64> 0 T48 0 1 integrity:48:aead
  capi:authenc(hmac(sha256),xts(aes))-plain <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64be <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-null <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-essiv:sha256 <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-benbi <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha224),xts(aes))-plain64 <92> 0 T28 0 1 integrity:28:aead
  capi:authenc(hmac(blake2b-256),xts(aes))-plain64 <96> 0 T32 0 1 integrity:32:aead
  capi:gcm(aes)-plain64 <32> 0 T16 0 1 integrity:16:aead | capi:gcm(aes)-plain64be <32> 0 T16 0 1 integrity:16:aead
  capi:gcm(aes)-null <32> 0 T16 0 1 integrity:16:aead
  capi:rfc7539(chacha20,poly1305)-plain64 <32> 0 T16 0 1 integrity:16:aead
  capi:gcm(aes)-benbi <32> 0 T16 0 1 integrity:16:aead
  capi:gcm(aes)-random:sha256 <32> 0 T28 0 1 integrity:28:aead
  capi:authenc(hmac(sha256),xts(aes))-random:x <96> 0 T48 0 1 integrity:48:aead | aes-cbc-essiv:blake2b-256 <32>
  aes-ecb-nosuch <32> | aes-ecb-random <32> | aes:128-cbc-plain64 <2048> | aes:4294967297-cbc-plain64 <32>
  capi:ecb(aes)-nosuch <32> | capi:cbc(aes)-plain64: <32> | capi:cbc(aes)-benbi <32> | capi:lrw(aes)-plain64 <48>
  capi:essiv(essiv(cbc(aes),sha256),sha256)-plain64 <32> | capi:essiv(xts(aes),sha256)-essiv:sha256 <64>
  aes-xts-plain64 <64> 0 D 0 1 integrity:256:none | aes-xts-plain64 <64> 0 D 0 1 integrity:255:none
  aes-xts-plain64 <64> 0 D 0 1 integrity:1:none | aes-ctr-plain64be <16> | aes-ctr-benbi <32> | aes-ctr-null <32>
  aes-lrw-eboiv <48> | aes-lrw-essiv:sha256 <48> | aes-xts-benbi <64> | aes-xts-null <64> | aes-ecb-eboiv <32>
  aes-ecb- <32> | capi:ecb(aes)- <32> | capi:cbc(aes)-essiv:blake2b-256 <32> | aes:2-cbc-eboiv <64>
  aes:2-lrw-benbi <96> | aes:2-ctr-plain <32> | aes:2-ecb <64> | aes:2 <32> | aes:2-plain <32>
  capi:essiv(cbc(aes),sha256)-eboiv <32> | aes:2-cbc-random <32> 0 T16 0 1 integrity:16:none
  capi:essiv(cbc(aes),sha256)-random <32> 0 T16 0 1 integrity:16:none
  aes-xts-random <64> 0 T16/4096 0 2 integrity:16:none sector_size:4096
  capi:authenc(hmac(sha256),lrw(aes))-benbi <80> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),ctr(aes))-essiv:sha256 <64> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(blake2b-512),cbc(aes))-random <96> 0 T80 0 1 integrity:80:aead
  capi:gcm(aes)-plain <16> 0 T16 0 1 integrity:16:aead
  capi:rfc7539(chacha20,poly1305)-plain64be <32> 0 T16 0 1 integrity:16:aead
  capi:rfc7539(chacha20,poly1305)-benbi <32> 0 T16 0 1 integrity:16:aead
  capi:rfc7539(chacha20,poly1305)-null <32> 0 T16 0 1 integrity:16:aead
  capi:rfc7539(chacha20,poly1305)-plain <32> 0 T16 0 1 integrity:16:aead
`)

/** Linux refuses these. */
export const INVALID_LINES: readonly CryptLineCase[] = lines(`
  aes-xts-plain64 <16> | aes-xts-plain64 <63> | aes-xts-plain64 <128> | aes-cbc-essiv:sha256 <20>
  aes-cbc-essiv:sha256 <64> | aes-cbc-essiv:sha1 <32> | aes-cbc-essiv:sha512 <32> | aes-cbc-essiv:sha384 <32>
  aes-cbc-essiv:nosuch <32> | aes-cbc-essiv <32> | aes-cbc-essiv: <32> | aes-ecb-essiv:sha256 <32>
  aes-cbc-plain64 <8> | aes-gcm-plain64 <32> | aes-gcm-random <32> | aes-nosuch-plain64 <32> | aes-cbc <32>
  aes-xts <64> | aes-xts-nosuch <64> | aes-cbc-random <32> | aes-xts-random <64> | aes-cbc-plain64-foo <32>
  aes--plain64 <32> | -cbc-plain64 <32> | aes-cbc- <32> | aes- <32> | - <32> | AES-xts-plain64 <64>
  aes-XTS-plain64 <64> | aes-xts-PLAIN64 <64> | aes:3-cbc-plain64 <48> | aes:0-cbc-plain64 <32>
  aes:x-cbc-plain64 <32> | aes:-cbc-plain64 <32> | aes:1x-cbc-plain64 <32> | aes:2:2-cbc-plain64 <32> | null-ecb -
  nosuch-xts-plain64 <64> | aes-generic-cbc-plain64 <32> | aes-xts-plain64 - | aes-cbc-plain64 -
  capi:essiv(cbc(aes),sha512)-plain64 <32> | capi:essiv(cbc(aes),sha1)-plain64 <32>
  capi:essiv(cbc(aes))-plain64 <32> | capi:essiv(cbc(aes),nosuch)-plain64 <32>
  capi:essiv(cbc(aes),sha256)-random <32> | capi:essiv(ecb(aes),sha256)-plain64 <32>
  capi:essiv(cbc(aes),sha224)-plain64 <32> | capi:xts(aes)- <64> | capi:xts(aes)-random <64>
  capi:cbc(aes)-essiv <32> | capi:cbc(aes)-essiv:nosuch <32> | capi:cbc(aes)-essiv:sha1 <32>
  capi:cbc(aes)-essiv:sha512 <32> | capi:aes-plain64 <32> | capi:aes <32> | capi: <32> | capi:-plain64 <32>
  capi <32> | capi:xts(aes)-plain64-foo <64> | capi:XTS(aes)-plain64 <64> | capi:nosuch(aes)-plain64 <64>
  capi:xts(nosuch)-plain64 <64> | capi:xts(aes-plain64 <64> | capi:xts(aes))-plain64 <64> | capi:xts()-plain64 <64>
  capi:xts(ecb(aes))-plain64 <64> | capi:cryptd(xts(aes))-plain64 <64> | capi:pcrypt(xts(aes))-plain64 <64>
  capi:adiantum(xchacha12,aes,nhpoly1305)-plain64 <32> | capi:xts(aes)-nosuch <64> | capi:sha256-plain64 <32>
  capi:hmac(sha256)-plain64 <32> | capi:cmac(aes)-plain64 <32> | capi:gcm(aes)-random <32>
  capi:gcm(aes)-plain64 <32> | capi:authenc(hmac(sha256),xts(aes))-plain64 <96>
  capi:rfc7539(chacha20,poly1305)-random <32> | capi:essiv(authenc(hmac(sha256),cbc(aes)),sha256)-plain64 <64>
  CAPI:xts(aes)-plain64 <64> | aes-xts-plain64 <0>0 | aes-xts-plain64 00
  aes-xts-plain64 zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz
  aes-xts-plain64 +1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1
  aes-xts-plain64 :64:bogus:nosuch | aes-xts-plain64 :64:logon: | aes-xts-plain64 :64:logon | aes-xts-plain64 :64
  aes-xts-plain64 : | aes-xts-plain64 :0:logon:x | aes-xts-plain64 :x:logon:x | aes-xts-plain64 :64:keyring:k64
  aes-xts-plain64 :64::k64 | aes-xts-plain64 ::logon:p:64 | aes-xts-plain64 <64> -1 D 0
  aes-xts-plain64 <64> 0x10 D 0 | aes-xts-plain64 <64> x D 0 | aes-xts-plain64 <64> 1.5 D 0
  aes-xts-plain64 <64> +5 D 0 | aes-xts-plain64 <64> 5x D 0 | aes-xts-plain64 <64> 0 D x
  aes-xts-plain64 <64> 0 D -1 | aes-xts-plain64 <64> 1 D 0 2 sector_size:4096 iv_large_sectors
  aes-xts-plain64 <64> 7 D 0 2 sector_size:4096 iv_large_sectors | aes-xts-plain64 <64> 1 D 0 1 sector_size:4096
  aes-xts-plain64 <64> 7 D 0 1 sector_size:4096 | 1: aes-xts-plain64 <64> 0 D 0 1 sector_size:4096
  4: aes-xts-plain64 <64> 0 D 0 1 sector_size:4096 | 7: aes-xts-plain64 <64> 0 D 0 1 sector_size:4096
  60: aes-xts-plain64 <64> 0 D 0 1 sector_size:4096 | aes-xts-plain64 <64> 0 D 0 1 sector_size:8192
  aes-xts-plain64 <64> 0 D 0 1 sector_size:256 | aes-xts-plain64 <64> 0 D 0 1 sector_size:0
  aes-xts-plain64 <64> 0 D 0 1 sector_size:65537 | aes-xts-plain64 <64> 0 D 0 1 sector_size:513
  aes-xts-plain64 <64> 0 D 0 1 sector_size:3072 | aes-xts-plain64 <64> 0 D 0 1 sector_size:x
  aes-xts-plain64 <64> 0 D 0 1 sector_size: | aes-xts-plain64 <64> 0 D 0 1 sector_size:-512
  aes-xts-plain64 <64> 0 D 0 1 sector_size:4096x | aes-xts-plain64 <64> 0 D 0 1 sector_size:0x1000
  aes-xts-plain64 <64> 0 D 0 1 nosuch | aes-xts-plain64 <64> 0 D 0 2 allow_discards | aes-xts-plain64 <64> 0 D 0 1
  aes-xts-plain64 <64> 0 D 0 9 allow_discards
  aes-xts-plain64 <64> 0 D 0 8 allow_discards same_cpu_crypt submit_from_crypt_cpus no_read_workqueue no_write_workqueue sector_size:4096 iv_large_sectors integrity:16:aead
  aes-xts-plain64 <64> 0 D 0 x | aes-xts-plain64 <64> 0 D 0 -1 | aes-xts-plain64 <64> 0 D 0 1 SECTOR_SIZE:4096
  aes-xts-plain64 <64> 0 D 0 1 integrity:28:aead | aes-xts-plain64 <64> 0 D 0 1 integrity:0:none
  aes-xts-plain64 <64> 0 D 0 1 integrity:16:bogus | aes-xts-plain64 <64> 0 D 0 1 integrity::aead
  aes-xts-plain64 <64> 0 D 0 1x allow_discards | aes-xts-plain64 <64> 0 D 0 +1 allow_discards |  | aes-xts-plain64
  aes-xts-plain64 <64> 0 | aes-xts-plain64 <64> 0 D | capi:gcm(aes)-random <20> 0 T28 0 1 integrity:28:aead
  capi:gcm(aes)-random <32> 0 T28 0 1 integrity:12:aead | capi:gcm(aes)-random <32> 0 T28 0 1 integrity:13:aead
  capi:gcm(aes)-random <32> 0 T32 0 1 integrity:29:aead | capi:gcm(aes)-random <32> 0 T32 0 1 integrity:32:aead
  capi:gcm(aes)-random <32> 0 T28 0 1 integrity:0:aead | capi:gcm(aes)-random <32> 0 T28 0 1 integrity:11:aead
  capi:gcm(aes)-random <32> 0 T28 0 1 integrity::aead | capi:gcm(aes)-random <32> 0 T28 0 1 integrity:x:aead
  capi:gcm(aes)-random <32> 0 T28 0 1 integrity:-1:aead
  capi:rfc7539(chacha20,poly1305)-random <16> 0 T28 0 1 integrity:28:aead
  capi:rfc7539(chacha20,poly1305)-random <32> 0 T28 0 1 integrity:27:aead
  capi:rfc7539(chacha20,poly1305)-random <32> 0 T28 0 1 integrity:24:aead
  capi:rfc7539(chacha20,poly1305)-random <32> 0 T32 0 1 integrity:29:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <48> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <100> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <128> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <95> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <32> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <96> 0 T48 0 1 integrity:48:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <96> 0 T48 0 1 integrity:33:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <96> 0 T32 0 1 integrity:0:aead
  capi:authenc(hmac(sha256),xts(aes))-random <96> 0 T64 0 1 integrity:64:aead
  capi:authenc(hmac(sha256),xts(aes))-random <96> 0 T64 0 1 integrity:49:aead
  capi:authenc(hmac(sha256),xts(aes))-random <96> 0 T48 0 1 integrity:16:aead
  aes-gcm-random <32> 0 T28 0 1 integrity:28:aead | aes-xts-plain64 <32> 0 T28 0 1 integrity:28:aead
  capi:gcm(aes)-essiv:sha256 <32> 0 T28 0 1 integrity:28:aead
  capi:gcm(nosuch)-random <32> 0 T28 0 1 integrity:28:aead
  capi:rfc7539(xchacha20,poly1305)-random <32> 0 T28 0 1 integrity:28:aead
  capi:rfc7539(chacha20,nosuch)-random <32> 0 T28 0 1 integrity:28:aead
  capi:rfc7539(chacha20)-random <32> 0 T28 0 1 integrity:28:aead
  capi:rfc7539(chacha12,poly1305)-random <32> 0 T28 0 1 integrity:28:aead
  capi:cbc(aes)-lmk <32> | capi:ecb(aes)-lmk <32> | aes:2-cbc-lmk <72> | aes:2-cbc-lmk <51> | aes-cbc-lmk <48> | aes:2-cbc-lmk <33> | aes:64-cbc-lmk <1025>
  aes-cbc-lmk <32> 0 D 0 1 sector_size:4096 | aes-cbc-tcw <64> 0 D 0 1 sector_size:1024 | aes-cbc-tcw <32>
  aes-cbc-tcw <16> | aes-cbc-tcw <47> | aes-cbc-tcw - | aes-cbc-elephant <16> | aes-cbc-elephant <40>
  aes-xts-elephant <128> | aes-xts-elephant <32> | aes-ctr-elephant <32> | xchacha12,aes-adiantum-elephant <64>
  aes-cbc-elephant - | aes-cbc-elephant <65> | aes:2-cbc-elephant <97> | capi:gcm(aes)-elephant <32> 0 T28 0 1 integrity:28:aead
  capi:gcm(aes)-eboiv <32> 0 T28 0 1 integrity:28:aead
  capi:gcm_base(ctr(aes),ghash)-random <32> 0 T28 0 1 integrity:28:aead
  capi:authenc(hmac(nosuch),xts(aes))-plain64 <96> 0 T80 0 1 integrity:32:aead
  capi:authenc(sha256,xts(aes))-plain64 <96> 0 T80 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-eboiv <96> 0 T80 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes),x)-plain64 <96> 0 T80 0 1 integrity:32:aead
  capi:authenc(hmac(sha256))-plain64 <96> 0 T80 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),gcm(aes))-plain64 <64> 0 T80 0 1 integrity:32:aead
  capi:authencesn(hmac(sha256),cbc(aes))-plain64 <64> 0 T80 0 1 integrity:32:aead
  capi:authenc(hmac(crc32c),xts(aes))-plain64 <96> 0 T80 0 1 integrity:4:aead
  capi:authenc(poly1305,xts(aes))-plain64 <96> 0 T80 0 1 integrity:16:aead
  capi:essiv(authenc(hmac(sha256),cbc(aes)),sha256)-plain64 <64> 0 T80 0 1 integrity:32:aead
  capi:xts(aes)-plain64 <64> 0 T16 0 1 integrity:16:aead | capi:gcm(aes)-random <32> 0 T28 0 1 integrity:28:none
  capi:gcm(aes)-random <32> 0 T28 0 1 integrity:16:none | aes-xts-plain64 <64> 0 T16 0 1 integrity:0:none
  capi:gcm(aes)-random <32> 0 T28 0 | capi:gcm(aes)-random <32> 0 T28 0 0
  capi:gcm(aes)-random <32> 0 T28 0 1 integrity:28:aead:x | capi:gcm(aes)-random <32> 0 T28 0 1 integrity:28:
  capi:gcm(aes)-random <32> 0 T28 0 1 integrity:28:a | capi:gcm(aes)-random - 0 T28 0 1 integrity:28:aead
  capi:xts(aes)-plain64 <64> 0 T28 0 1 integrity:28:aead | capi:gcm(aes)-random <32> 0 T8 0 1 integrity:8:aead
  capi:gcm(aes)-random <32> 0 T12 0 1 integrity:12:aead | capi:gcm(aes)-random <32> 0 T13 0 1 integrity:13:aead
  capi:gcm(aes)-random <32> 0 T14 0 1 integrity:14:aead | capi:gcm(aes)-random <32> 0 T15 0 1 integrity:15:aead
  capi:gcm(aes)-random <32> 0 T29 0 1 integrity:29:aead
  capi:rfc7539(chacha20,poly1305)-random <32> 0 T12 0 1 integrity:12:aead
  capi:rfc7539(chacha20,poly1305)-random <32> 0 T13 0 1 integrity:13:aead
  capi:rfc7539(chacha20,poly1305)-random <32> 0 T24 0 1 integrity:24:aead
  capi:rfc7539(chacha20,poly1305)-random <32> 0 T27 0 1 integrity:27:aead
  capi:rfc7539(chacha20,poly1305)-random <32> 0 T29 0 1 integrity:29:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <96> 0 T33 0 1 integrity:33:aead
  capi:authenc(hmac(sha256),xts(aes))-random <96> 0 T8 0 1 integrity:8:aead
  capi:authenc(hmac(sha256),xts(aes))-random <96> 0 T16 0 1 integrity:16:aead
  capi:authenc(hmac(sha256),xts(aes))-random <96> 0 T49 0 1 integrity:49:aead
  capi:authenc(sha256,xts(aes))-plain64 <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-eboiv <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes))-lmk <96> 0 T32 0 1 integrity:32:aead
  capi:authencesn(hmac(sha256),cbc(aes))-plain64 <64> 0 T32 0 1 integrity:32:aead
  capi:essiv(authenc(hmac(sha256),cbc(aes)),sha256)-plain64 <64> 0 T32 0 1 integrity:32:aead
  capi:gcm(aes)-essiv:sha256 <32> 0 T16 0 1 integrity:16:aead
  capi:rfc7539(chacha20,poly1305)-essiv:sha256 <32> 0 T16 0 1 integrity:16:aead
  capi:gcm(des3_ede)-random <24> 0 T28 0 1 integrity:28:aead | aes-cbc-essiv:rmd160 <32> | aes-cbc-essiv:rmd128 <32>
  aes-cbc-essiv:sha224 <32> | aes-cbc-essiv:sha3-224 <32> | aes-cbc-essiv:sha3-384 <32>
  aes-cbc-essiv:sha3-512 <32> | aes-cbc-essiv:streebog512 <32> | aes-cbc-essiv:wp384 <32> | aes-cbc-essiv:wp512 <32>
  aes-cbc-essiv:tgr192 <32> | aes-cbc-essiv:tgr128 <32> | aes-cbc-essiv:blake2b-160 <32>
  aes-cbc-essiv:blake2b-384 <32> | aes-cbc-essiv:blake2b-512 <32> | aes-cbc-essiv:blake2s-256 <32>
  aes-cbc-essiv:blake2s-128 <32> | aes-cbc-essiv:crc32c <32> | aes-cbc-essiv:crc32 <32>
  aes-cbc-essiv:xxhash64 <32> | aes-cbc-essiv:ghash <32> | aes-cbc-essiv:crct10dif <32>
  aes-cbc-essiv:hmac(sha256) <32> | aes-cbc-essiv:sha256-generic <32> | aes-cbc-essiv:digest_null <32>
  aes-cbc-essiv:michael_mic <32> | des-xts-plain64 <32> | des3_ede-xts-plain64 <32> | speck128-cbc-plain64 <16>
  speck128-xts-plain64 <32> | chacha20-cbc-plain64 <16> | chacha20-xts-plain64 <32> | aes-cts-plain64 <32>
  aes-keywrap-plain64 <32> | aes-cbc(x)-plain64 <32> | aes)-cbc-plain64 <32> | aes,x-cbc-plain64 <32>
  chacha20,aes-adiantum-plain64 <32> | aes-adiantum-plain64 <32> | aes-essiv(cbc)-plain64 <32>
  ecb(aes)-xts-plain64 <32> | aes-rfc3686-plain64 <32> | aes:4294967296-cbc-plain64 <32> | aes:-1-cbc-plain64 <32>
  aes:+1-cbc-plain64 <32> | capi:adiantum(chacha20,aes)-plain64 <32> | capi:adiantum(aes,aes)-plain64 <32>
  capi:lrw(des)-plain64 <48> | capi:xts(des)-plain64 <8> | capi:essiv(cbc(des3_ede),sha256)-plain64 <32>
  capi:seqiv(gcm(aes))-random <32> | capi:echainiv(authenc(hmac(sha256),cbc(aes)))-plain64 <32>
  capi:simd(xts(aes))-plain64 <64> | capi:ctr(chacha20)-plain64 <32> | capi:cbc(chacha20)-plain64 <32>
  capi:xts(aes)-plain64:x:y <64> | aes-xts-plain64 <64> 0 D 0 1 integrity:16:none:x
  aes-xts-plain64 <64> 0 D 0 1 sector_size: 512 | aes-xts-plain64 <64> 0 D 0 1 sector_size:4096:x
  aes-xts-plain64 <64> 0 D 0 1 sector_size:65536 | capi:gcm(aes)-random <32> 0 D 0 1 integrity:28:aead
  capi:gcm(aes)-random <32> 0 T16 0 1 integrity:28:aead
  capi:gcm(aes)-random <32> 0 T28 0 2 integrity:28:aead sector_size:4096
  capi:gcm(aes)-random <32> 0 T28/4096 0 1 integrity:28:aead | aes-xts-plain64 :64:logon:nosuch
  aes-xts-plain64 :32:user:k64 | aes-xts-plain64 <64> 0 D 2000000 | aes-xts-plain64 <64> 0 D 1 1 sector_size:4096
  42: aes-xts-plain64 <64> 0 D 0 2 sector_size:4096 sector_size:1024
  42: aes-xts-plain64 <64> 0 D 0 3 sector_size:1024 sector_size:4096 sector_size:512
  capi:gcm(aes)-random <32> 0 T28 0 0 integrity:28:aead
  capi:gcm(aes)-random <32> 0 T28 0 1 allow_discards integrity:28:aead
  aes-xts-plain64 <64> 0 D 0 1 sector_size:4294967297
  aes-xts-plain64 <64> 18446744073709551617 D 0 1 sector_size:4096
  aes-xts-plain64 <64> 0 D 0 4294967305 allow_discards | aes-xts-plain64 <63>x
  aes-xts-plain64 <64> 0 D 18446744073709551616 1 x | capi:gcm(aes)-random <32> 0 T28 0 2 integrity:28x:aead nosuch
  aes-xts-plain64 <64> 18446744073709551616 D 0 1 nosuch | aes-ctr-eboiv <32> | aes-ofb-eboiv <32>
  capi:chacha20-eboiv <32> | aes-xts-random <64> 0 T8 0 1 integrity:8:none
  capi:gcm(aes)-eboiv <32> 0 T16 0 1 integrity:16:aead | aes:2-cbc-plain64 <16> | xchacha12,aes-adiantum-eboiv <32>
  capi:ecb(aes)-essiv:sha256 <32> | aes-xts-random <64> 0 D 0 1 integrity:16:none
  aes-ctr-random <32> 0 T20 0 1 integrity:20:none
  aes-xts-random <64> 0 T16 0 1 integrity:20:none | capi:xts(aes)-essiv: <64>
`)

/** Linux takes these; here they are not built. */
export const UNSUPPORTED_LINES: readonly CryptLineCase[] = lines(`
  aes-xts-lmk <64> | aes:2-cbc-lmk <49> | aes:64-cbc-lmk <1045> | aes:2-cbc-tcw <65>
  aes-ctr-lmk <32> | aes-lrw-lmk <48> | capi:essiv(cbc(aes),sha256)-lmk <2048> | capi:cbc(aes)-lmk <1056>
  aes:2-cbc-lmk <47> | xchacha12,aes-adiantum-tcw <80>
  aes-pcbc-plain64 <32> | aes-cfb-plain64 <32> | aes-ofb-plain64 <32> | serpent-xts-plain64 <64>
  twofish-xts-plain64 <64> | camellia-xts-plain64 <64> | camellia-cbc-essiv:sha256 <32> | cast5-cbc-plain64 <16>
  cast6-xts-plain64 <64> | des3_ede-cbc-plain64 <24> | des-cbc-plain64 <8> | blowfish-cbc-plain64 <32>
  fcrypt-cbc-plain64 <8> | xchacha12,serpent-adiantum-plain64 <32>
  capi:essiv(cbc(aes),sha256) <32> | capi:essiv(cbc(aes),wp256)-plain64 <32> | capi:xts(aes) <64>
  capi:xts(ecb(aes-generic))-plain64 <64> | capi:cbc(aes-generic)-plain64 <32>
  capi:xts(serpent)-plain64 <64> | capi:xts-aes-aesni-plain64 <64>
  capi:cts(cbc(aes))-plain64 <32> | capi:pcbc(aes)-plain64 <32> | capi:chacha20-plain64 <32>
  capi:xchacha20-plain64 <32> | capi:xctr(aes)-plain64 <32> | capi:rfc3686(ctr(aes))-plain64 <36>
  aes-xts-plain64 <64>0 | aes-xts-plain64 <64> 18446744073709551616 D 0
  aes-xts-plain64 <64> 0 D 0 1 allow_discards same_cpu_crypt | aes-xts-plain64 <64> 0 D 0 1 sector_size:4096 extra
  capi:gcm(aes)-random <32> 0 T28 0 1 integrity:28x:aead
  capi:gcm(aes)-random <32> 0 T28 0 1 integrity:4294967324:aead
  capi:ccm(aes)-random <32> 0 T28 0 1 integrity:28:aead | capi:gcm(serpent)-random <32> 0 T28 0 1 integrity:28:aead
  capi:ccm(aes)-random <32> 0 T32 0 1 integrity:32:aead | capi:aegis128-random <16> 0 T32 0 1 integrity:32:aead
  capi:xts(aes)-plain64 <64> 0 T16 0 1 integrity:16:none | capi:gcm(aes)-random <32> 0 T16 0 1 integrity:16:aead
  capi:gcm(aes)-random <32> 0 T20 0 1 integrity:20:aead | capi:gcm(aes)-random <32> 0 T24 0 1 integrity:24:aead
  capi:gcm(aes)-random <32> 0 T25 0 1 integrity:25:aead | capi:gcm(aes)-random <32> 0 T26 0 1 integrity:26:aead
  capi:gcm(aes)-random <32> 0 T27 0 1 integrity:27:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <96> 0 T1 0 1 integrity:1:aead
  capi:authenc(hmac(sha256),xts(aes))-plain64 <96> 0 T4 0 1 integrity:4:aead
  capi:authenc(hmac(sha256),xts(aes))-random <96> 0 T17 0 1 integrity:17:aead
  capi:authenc(hmac(wp256),xts(aes))-plain64 <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(cmac(aes),xts(aes))-plain64 <80> 0 T16 0 1 integrity:16:aead
  capi:authenc(hmac(sha256),xts(serpent))-plain64 <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),xts(aes)) <96> 0 T32 0 1 integrity:32:aead
  capi:authenc(hmac(sha256),adiantum(xchacha12,aes))-plain64 <64> 0 T32 0 1 integrity:32:aead
  capi:gcm(aes) <32> 0 T16 0 1 integrity:16:aead | capi:rfc7539(chacha20,poly1305) <32> 0 T16 0 1 integrity:16:aead
  capi:rfc4106(gcm(aes))-random <36> 0 T24 0 1 integrity:24:aead
  capi:authenc(hmac(sha256),ecb(aes))-plain64 <64> 0 T32 0 1 integrity:32:aead
  capi:rfc4543(gcm(aes))-random <36> 0 T24 0 1 integrity:24:aead
  capi:ccm(aes)-plain64 <32> 0 T16 0 1 integrity:16:aead | capi:aegis128-plain64 <16> 0 T16 0 1 integrity:16:aead
  capi:gcm(camellia)-random <32> 0 T28 0 1 integrity:28:aead
  capi:rfc7539esp(chacha20,poly1305)-random <36> 0 T24 0 1 integrity:24:aead | aes-cbc-essiv:md4 <32>
  aes-cbc-essiv:streebog256 <32> | aes-cbc-essiv:wp256 <32>
  aes-cbc-essiv:poly1305 <32> | blowfish-cbc-plain64 <16> | cast6-cbc-plain64 <16> | cast6-xts-plain64 <32>
  camellia-cbc-plain64 <16> | camellia-xts-plain64 <32> | serpent-cbc-plain64 <16> | serpent-xts-plain64 <32>
  twofish-cbc-plain64 <16> | twofish-xts-plain64 <32> | aes-kw-plain64 <32> | aes-xctr-plain64 <32>
  xchacha20,serpent-adiantum-plain64 <32> | capi:cts(cbc(aes))-essiv:sha256 <32>
  capi:cts(cbc(aes)) <32> | capi:ofb(aes)-plain64 <32> | capi:cfb(aes)-plain64 <32> | capi:kw(aes)-plain64 <32>
  capi:essiv(cts(cbc(aes)),sha256)-plain64 <32> | capi:essiv(cbc(serpent),sha256)-plain64 <32>
  aes-xts-plain64 <64> 0 D 0 1 sector_size:4294968320 | aes-xts-plain64 <64> 0 D 0 1 sector_size:66560
  aes-xts-plain64 <64>x | aes-xts-plain64 <64>: | aes-xts-plain64 <64> 0 D 0 4294967297 allow_discards
  aes-xts-plain64 <64> 0 D 0 18446744073709551617 allow_discards | aes-xts-plain64 <64> 18446744073709551624 D 0
  aes-xts-plain64 <64> 0 D 18446744073709551624 | aes-xts-plain64 <64> 0 D 0 4294967296 allow_discards
  aes-xts-plain64 <64> 100000000000000000000000000000000000000000000000000000000000000000000000000000008 D 0
  capi:gcm(aes)-random <32> 0 T28 0 2 integrity:28:aead integrity:28:none
  capi:gcm(aes)-random <32> 0 T28 0 3 integrity:28:aead integrity:1:none integrity:28:none | aes:2-cbc-plain64 <33>
  aes:4-xts-plain64 <131> | capi:lrw(aes) <48>
`)

/** We take these, with words that came after Linux 6.1, which refuses them. */
export const NEWER_LINES: readonly CryptLineCase[] = lines(`
  aes-xts-plain64 <64> 0 D 0 1 high_priority | aes-xts-plain64 <64> 0 D 0 1 integrity_key_size:32
  aes-xts-plain64 <64> 0 D 0 1 HIGH_PRIORITY
  capi:authenc(hmac(sha256),xts(aes))-plain64 <80> 0 T32 0 2 integrity:32:aead integrity_key_size:16
  aes-xts-plain64 <64> 0 D 0 9 allow_discards same_cpu_crypt high_priority submit_from_crypt_cpus no_read_workqueue no_write_workqueue sector_size:4096 iv_large_sectors integrity_key_size:8
  capi:authenc(hmac(sha256),cbc(aes))-random <76> 0 T48 0 2 integrity_key_size:60 integrity:48:aead
`)

/** Linux takes these, and stores plaintext. */
export const REFUSED_LINES: readonly CryptLineCase[] = lines(`
  cipher_null-ecb - | cipher_null - | cipher_null-ecb-null - | cipher_null-ecb-plain64 - | capi:ecb(cipher_null) -
  capi:ecb(cipher_null)-plain64 -
`)
