/**
 * IP addresses, and lists of CIDR blocks that a client's address must be in (RFC 4291, RFC 4632).
 *
 * All addresses are 128 bits; an IPv4 address is its IPv4-mapped IPv6 address (`::ffff:a.b.c.d`), so that
 * both spellings are one address. The families stay apart all the same: `::/0` means every IPv6 address
 * and lets no IPv4 client in.
 */
export interface IpAddress {
  readonly version: 4 | 6
  /** The 128 bits as four unsigned 32-bit words, most significant first. */
  readonly words: readonly [number, number, number, number]
}

export interface CidrBlock {
  readonly address: IpAddress
  /** How many of the 128 bits count: an IPv4 `/8` is 104. */
  readonly prefixBits: number
}

export interface IpAllow {
  /** Whether the address is in one of the blocks. A text that is no address is in none. */
  allows(ip: string): boolean
}

/** Before the IPv4 address in `::ffff:a.b.c.d`. */
const MAPPED_WORD = 0xffff

/**
 * Reads an IPv4 address in dotted decimal, or an IPv6 address in any spelling of RFC 4291, section 2.2.
 * Undefined otherwise: leading zeros in IPv4 (some read them as octal), zone ids, brackets and ports are
 * not read.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const word = parseIpv4(text)
    return word === undefined ? undefined : { version: 4, words: [0, 0, MAPPED_WORD, word] }
  }
  const words = parseIpv6(text)
  if (words === undefined) return undefined
  return { version: isMapped(words) ? 4 : 6, words }
}

/**
 * Reads `address/prefix`, or an address alone for itself; undefined otherwise. The bits after the prefix must be zero:
 * an address with others was likely meant as one machine, and would let its whole network in.
 */
export function readCidr(text: string): CidrBlock | undefined {
  const [addressText = '', prefixText, ...rest] = text.split('/')
  const address = parseIp(addressText)
  if (address === undefined || rest.length > 0) return undefined
  if (prefixText === undefined) return { address, prefixBits: 128 }
  const width = addressText.includes(':') ? 128 : 32
  if (!isPrefixLength(prefixText, width)) return undefined
  const prefixBits = 128 - width + Number(prefixText)
  const isFirst = address.words.every((word, index) => (word & ~maskOf(prefixBits, index)) === 0)
  return isFirst ? { address, prefixBits } : undefined
}

/** Whether it is the length of a prefix, of an address that is so many bits wide as it is written. */
export function isPrefixLength(text: string, width: number): boolean {
  return /^(0|[1-9][0-9]{0,2})$/.test(text) && Number(text) <= width
}

/** Prepares a list. Neither an empty list nor an entry that is no block lets anybody in. */
export function compileIpAllow(list: readonly string[]): IpAllow {
  const blocks = list.map(readCidr).filter((block) => block !== undefined)
  return {
    allows(ip) {
      const address = parseIp(ip)
      return address !== undefined && blocks.some((block) => contains(block, address))
    },
  }
}

function contains(block: CidrBlock, address: IpAddress): boolean {
  if (block.address.version !== address.version) return false
  return block.address.words.every(
    (word, index) => ((word ^ (address.words[index] ?? 0)) & maskOf(block.prefixBits, index)) === 0,
  )
}

/** The bits of word `index` (0 to 3) that a prefix of the given length counts. */
function maskOf(prefixBits: number, index: number): number {
  const bits = Math.min(32, Math.max(0, prefixBits - index * 32))
  return bits === 0 ? 0 : -1 << (32 - bits)
}

function isMapped(words: IpAddress['words']): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === MAPPED_WORD
}

const IPV4 = /^(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})$/
const IPV6_GROUP = /^[0-9A-Fa-f]{1,4}$/

function parseIpv4(text: string): number | undefined {
  const match = IPV4.exec(text)
  if (match === null) return undefined
  let word = 0
  for (let index = 1; index <= 4; index++) {
    const octet = Number(match[index])
    if (octet > 255) return undefined
    word = word * 256 + octet
  }
  return word
}

function parseIpv6(text: string): IpAddress['words'] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [before, after] = halves
  const head = parseGroups(before ?? '', after === undefined)
  const tail = parseGroups(after ?? '', true)
  if (head === undefined || tail === undefined) return undefined

  // A `::` stands for at least one group of zeros.
  const zeros = 8 - head.length - tail.length
  if (after === undefined ? zeros !== 0 : zeros < 1) return undefined
  const groups = [...head, ...new Array<number>(zeros).fill(0), ...tail]
  return [wordOf(groups, 0), wordOf(groups, 2), wordOf(groups, 4), wordOf(groups, 6)]
}

/** The 16-bit groups of one side of `::`; the last 32 bits of an address may be written as IPv4. */
function parseGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (IPV6_GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16))
      continue
    }
    const word = isLast && index === parts.length - 1 ? parseIpv4(part) : undefined
    if (word === undefined) return undefined
    groups.push(word >>> 16, word & 0xffff)
  }
  return groups
}

function wordOf(groups: readonly number[], index: number): number {
  return ((groups[index] ?? 0) * 0x1_0000 + (groups[index + 1] ?? 0)) >>> 0
}
