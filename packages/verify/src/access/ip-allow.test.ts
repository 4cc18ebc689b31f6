import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileIpAllow, parseIp } from './ip-allow.ts'
import { parseCidr } from './parse-cidr.ts'

const GROUPS = 8
const V4_MASK = 0xffff_ffffn
const MAPPED = 0xffffn << 32n

function toBigInt(text: string): bigint | undefined {
  return parseIp(text)?.words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n)
}

/** One spelling of an address, chosen by chance among those of RFC 4291, section 2.2. */
const spelled = fc
  .record({
    // Zeros are frequent, so that there is something for `::` to stand for.
    groups: fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 0xffff })), {
      minLength: GROUPS,
      maxLength: GROUPS,
    }),
    upper: fc.boolean(),
    padded: fc.boolean(),
    dotted: fc.boolean(),
    compressFrom: fc.nat({ max: GROUPS - 1 }),
  })
  .map(({ groups, upper, padded, dotted, compressFrom }) => {
    const value = groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)
    let parts = groups.map((group) => group.toString(16).padStart(padded ? 4 : 1, '0'))
    if (dotted) parts = [...parts.slice(0, 6), dottedOf(value & V4_MASK)]
    const end = dotted ? 6 : GROUPS
    let to = compressFrom
    while (to < end && groups[to] === 0) to++
    const text =
      to > compressFrom && compressFrom < end
        ? `${parts.slice(0, compressFrom).join(':')}::${parts.slice(to).join(':')}`
        : parts.join(':')
    return { value, text: upper ? text.toUpperCase() : text }
  })

const ipv4 = fc.nat({ max: 0xffff_ffff }).map((word) => BigInt(word))

describe('an address', () => {
  test('every spelling of an IPv6 address is read as the same 128 bits', () => {
    fc.assert(
      fc.property(spelled, ({ value, text }) => {
        expect(isIP(text)).toBe(6)
        expect(toBigInt(text)).toBe(value)
      }),
      { numRuns: 500 },
    )
  })

  test('an IPv4 address equals its IPv4-mapped IPv6 address', () => {
    fc.assert(
      fc.property(ipv4, (value) => {
        const mapped = `::ffff:${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
        expect(toBigInt(dottedOf(value))).toBe(MAPPED | value)
        expect(parseIp(mapped)).toEqual(parseIp(dottedOf(value)))
        expect(parseIp(`::FFFF:${dottedOf(value)}`)).toEqual(parseIp(dottedOf(value)))
      }),
    )
  })

  test('a text is read exactly when Node calls it an address without a zone', () => {
    const piece = fc.constantFrom(
      '0',
      '1',
      '255',
      '256',
      '00',
      '01',
      'ffff',
      'G',
      'fffff',
      '.',
      ':',
      '::',
      '%',
      ' ',
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join('')),
        (text) => {
          expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0 && !text.includes('%'))
        },
      ),
      { numRuns: 5000 },
    )
  })

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.04',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.256',
    '1.2.3.-4',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '1.2.3.4:80',
    '[::1]',
    '::1%eth0',
    ':::',
    '1::2::3',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '1:2:3:4:5:6:7',
    '1:2:3:4::5:6:7:8',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '::01.2.3.4',
    '::ffff:1.2.3',
    '١.2.3.4',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })
})

describe('a list of CIDR blocks', () => {
  test('an IPv4 block lets in exactly the addresses that share its first bits', () => {
    fc.assert(
      fc.property(ipv4, fc.nat({ max: 32 }), ipv4, (address, bits, client) => {
        const rest = 32n - BigInt(bits)
        const block = `${dottedOf((address >> rest) << rest)}/${bits}`
        // Half of the clients are moved near the block: random ones are nearly never in it.
        for (const near of [client, address ^ (client & 0xffn), address]) {
          expect(compileIpAllow([block]).allows(dottedOf(near))).toBe(near >> rest === address >> rest)
        }
      }),
    )
  })

  test('an IPv6 block lets in exactly the addresses that share its first bits', () => {
    fc.assert(
      fc.property(
        spelled,
        fc.nat({ max: 128 }),
        spelled,
        fc.nat({ max: 127 }),
        (address, bits, client, flip) => {
          const rest = 128n - BigInt(bits)
          const network = (address.value >> rest) << rest
          const list = compileIpAllow([`${hexOf(network)}/${bits}`])
          const clients = [client.value, address.value ^ (1n << BigInt(flip)), address.value]
          fc.pre([network, ...clients].every((value) => value >> 32n !== 0xffffn))
          for (const near of clients) {
            expect(list.allows(hexOf(near))).toBe(near >> rest === address.value >> rest)
          }
        },
      ),
    )
  })

  test('an address alone lets in itself, in every spelling, and nobody else', () => {
    const list = compileIpAllow(['192.0.2.7', '2001:db8::1'])
    for (const ip of ['192.0.2.7', '::ffff:192.0.2.7', '::ffff:c000:207', '2001:DB8:0:0::1']) {
      expect(list.allows(ip)).toBe(true)
    }
    for (const ip of ['192.0.2.8', '2001:db8::2', '::192.0.2.7']) expect(list.allows(ip)).toBe(false)
  })

  test('a block of IPv4-mapped addresses is an IPv4 block', () => {
    const list = compileIpAllow(['::ffff:10.0.0.0/104'])
    expect(list.allows('10.1.2.3')).toBe(true)
    expect(list.allows('::ffff:10.1.2.3')).toBe(true)
    expect(list.allows('11.0.0.0')).toBe(false)
  })

  test('an IPv6 block, however wide, lets no IPv4 client in, and the other way round', () => {
    expect(compileIpAllow(['::/0', '::/80']).allows('10.0.0.1')).toBe(false)
    expect(compileIpAllow(['::/0']).allows('2001:db8::1')).toBe(true)
    expect(compileIpAllow(['0.0.0.0/0']).allows('2001:db8::1')).toBe(false)
    expect(compileIpAllow(['0.0.0.0/0']).allows('203.0.113.9')).toBe(true)
  })

  test('an empty list lets nobody in, nor does a text that is no address', () => {
    expect(compileIpAllow([]).allows('127.0.0.1')).toBe(false)
    expect(compileIpAllow(['0.0.0.0/0', '::/0']).allows('localhost')).toBe(false)
    expect(compileIpAllow(['0.0.0.0/0', '::/0']).allows('')).toBe(false)
  })

  test('a damaged entry lets nobody in and leaves the others as they are', () => {
    const list = compileIpAllow(['10.0.0.0/', 'everywhere', '192.0.2.0/24'])
    expect(list.allows('10.0.0.0')).toBe(false)
    expect(list.allows('192.0.2.200')).toBe(true)
  })

  test.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/08',
    '10.0.0.0/',
    '10.0.0.0/+8',
    '10.0.0.0/8/8',
    '/8',
    '10/8',
    '',
  ])('%j is no block', (text) => {
    expect(parseCidr(text)).toHaveProperty('fault')
  })

  test.each(['10.0.0.5/8', '2001:db8::1/64', '128.0.0.0/0', '::1/0', '::ffff:0:0/95', '0.0.0.1/31'])(
    '%s has bits set after its prefix, and the fault says what to write',
    (text) => {
      expect(parseCidr(text)).toHaveProperty(
        'fault',
        expect.stringContaining("write the block's first address"),
      )
    },
  )
})

function dottedOf(word: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (word >> shift) & 0xffn).join('.')
}

function hexOf(value: bigint): string {
  const digits = value.toString(16).padStart(32, '0')
  return (digits.match(/.{4}/g) ?? []).join(':')
}
