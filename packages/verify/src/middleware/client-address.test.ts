import { describe, expect, test } from 'vitest'
import { compileAddressReader } from './client-address.ts'

const PROXIES = { addresses: ['10.0.0.0/8', '2001:db8:ffff::/48'] }

/** The address that is told of a request that came from `peer` with these headers of one name. */
function addressOf(name: 'x-forwarded-for' | 'forwarded', peer: string | undefined, ...values: string[]) {
  const read = compileAddressReader({ ...PROXIES, header: name })
  return read(
    values.flatMap((value) => [name, value]),
    peer,
  )
}

test('without proxies no header is believed', () => {
  const read = compileAddressReader(undefined)
  expect(read(['X-Forwarded-For', '192.0.2.1', 'Forwarded', 'for=192.0.2.1'], '203.0.113.9')).toBe(
    '203.0.113.9',
  )
})

test('proxies that are no blocks are a mistake of the program', () => {
  expect(() => compileAddressReader({ addresses: ['10.0.0.1/8'] })).toThrow(TypeError)
})

describe('forged X-Forwarded-For', () => {
  test.each([
    [
      'a peer that is no proxy is the client, whatever it writes',
      '203.0.113.9',
      ['192.0.2.1'],
      '203.0.113.9',
    ],
    ['the last hop that is no proxy is the client', '10.0.0.1', ['192.0.2.1, 203.0.113.9'], '203.0.113.9'],
    ['through two proxies', '10.0.0.1', ['192.0.2.1, 203.0.113.9, 10.2.2.2'], '203.0.113.9'],
    ['in several headers', '10.0.0.1', ['192.0.2.1', '203.0.113.9', '10.2.2.2'], '203.0.113.9'],
    ['a proxy spelled as mapped IPv6', '::ffff:10.0.0.1', ['203.0.113.9'], '203.0.113.9'],
    ['a proxy spelled at length', '2001:0DB8:FFFF:0:0:0:0:1', ['2001:DB8:0::1'], '2001:DB8:0::1'],
    ['with a port', '10.0.0.1', ['203.0.113.9:4711'], '203.0.113.9'],
    ['with brackets and a port', '10.0.0.1', ['[2001:db8::1]:4711'], '2001:db8::1'],
    ['a proxy that names nobody is the client', '10.0.0.1', [], '10.0.0.1'],
    ['what cannot be read is no address', '10.0.0.1', ['192.0.2.1, unknown'], undefined],
    ['octal is no address', '10.0.0.1', ['192.0.2.001'], undefined],
    ['an empty hop is no address', '10.0.0.1', ['192.0.2.1,'], undefined],
    ['two addresses in one hop are none', '10.0.0.1', ['192.0.2.1 203.0.113.9'], undefined],
    ['an unknown peer is trusted with nothing', undefined, ['192.0.2.1'], undefined],
  ])('%s', (_, peer, values, expected) => {
    expect(addressOf('x-forwarded-for', peer, ...values)).toBe(expected)
  })
})

describe('forged Forwarded (RFC 7239)', () => {
  test.each([
    [
      'the last hop that is no proxy is the client',
      ['for=192.0.2.1, for=203.0.113.9;proto=https'],
      '203.0.113.9',
    ],
    ['IPv6 in quotes', ['For="[2001:db8::1]:4711"'], '2001:db8::1'],
    ['a quote that the client left open', ['for="192.0.2.1', 'for=203.0.113.9'], '203.0.113.9'],
    ['an obfuscated name is no address', ['for=_hidden'], undefined],
    ['two names in one hop are none', ['for=192.0.2.1;for=203.0.113.9'], undefined],
    ['no name is none', ['proto=https'], undefined],
  ])('%s', (_, values, expected) => {
    expect(addressOf('forwarded', '10.0.0.1', ...values)).toBe(expected)
  })

  test('the header that the proxies do not write is not read', () => {
    const read = compileAddressReader(PROXIES)
    expect(read(['Forwarded', 'for=192.0.2.1'], '10.0.0.1')).toBe('10.0.0.1')
  })
})
