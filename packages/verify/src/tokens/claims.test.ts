import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Claims, readClaims } from './claims.ts'
import { payloadOf } from './payload.ts'
import { RESERVED_CLAIMS } from './reserved-claims.ts'

const LEAST = {
  iss: 'https://issuer.example',
  sub: 'somebody',
  aud: 'api',
  exp: 1_800_000_600,
  iat: 1_800_000_000,
}

function claimsOf(members: Record<string, unknown>): ReturnType<typeof readClaims> {
  return readClaims(payloadOf(members))
}

function read(more: Record<string, unknown> = {}): Claims {
  const claims = claimsOf({ ...LEAST, ...more })
  if ('fault' in claims) throw new Error(claims.fault)
  return claims
}

/** Claims that, when present, must be a text. */
const TEXTS = ['iss', 'sub', 'jti', 'client_id', 'sid']
const TIMES = ['exp', 'iat', 'nbf']
const NO_TEXT = [null, '', 0, 1, true, [], ['x'], {}]

describe('claims', () => {
  test('are read from the least that a token must say', () => {
    expect(read()).toEqual({
      issuer: 'https://issuer.example',
      subject: 'somebody',
      audience: ['api'],
      expiresAtMs: 1_800_000_600_000,
      issuedAtMs: 1_800_000_000_000,
      notBeforeMs: null,
      tokenId: null,
      clientId: null,
      scopes: null,
      roles: [],
      permissions: [],
      sessionId: null,
      parents: [],
      pos: null,
      confirmation: null,
      custom: {},
    })
  })

  test('are read from all that a token can say', () => {
    const claims = read({
      aud: ['api', 'other'],
      nbf: 1_799_999_999,
      jti: 'tok_1',
      client_id: 'key_1',
      scope: 'documents:read billing:*',
      roles: ['reader'],
      permissions: ['documents:read', '*:*'],
      sid: 'ses_1',
      pos: '1-AbCdEfGh:42',
      cnf: { jkt: 'thumbprint' },
      status: { status_list: { idx: 0, uri: 'https://issuer.example/status' } },
      tenant: 'acme',
      auth_time: 7,
    })
    expect(claims).toMatchObject({
      audience: ['api', 'other'],
      notBeforeMs: 1_799_999_999_000,
      tokenId: 'tok_1',
      clientId: 'key_1',
      scopes: ['documents:read', 'billing:*'],
      roles: ['reader'],
      permissions: ['documents:read', '*:*'],
      sessionId: 'ses_1',
      pos: { epoch: '1-AbCdEfGh', number: 42 },
      confirmation: { jkt: 'thumbprint' },
    })
    expect(claims.custom).toEqual({ tenant: 'acme', auth_time: 7 })
  })

  test.each(['iss', 'sub', 'aud', 'exp', 'iat'])('are refused without %s', (name) => {
    const { [name]: _, ...rest } = { ...LEAST } as Record<string, unknown>
    expect(claimsOf(rest)).toEqual({ fault: expect.stringContaining(`claim ${name} `) })
  })

  test.each(TEXTS)('are refused when %s is anything but a text, and not empty', (name) => {
    for (const value of NO_TEXT) {
      expect(claimsOf({ ...LEAST, [name]: value })).toEqual({
        fault: expect.stringContaining(`claim ${name} `),
      })
    }
  })

  test.each(TIMES)('are refused when %s is no number of seconds that can be written as a date', (name) => {
    const wrong = [null, '', '1800000000', true, [], [1], {}, -1, -0.001, Number.NaN, 253_402_300_800, 1e300]
    for (const value of [...wrong, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(claimsOf({ ...LEAST, [name]: value })).toEqual({
        fault: expect.stringContaining(`claim ${name} `),
      })
    }
  })

  test('take the last second of the year 9999, and can write it', () => {
    expect(new Date(read({ exp: 253_402_300_799.999 }).expiresAtMs).toISOString()).toBe(
      '9999-12-31T23:59:59.999Z',
    )
  })

  test('round a fraction so that the token ends earlier, begins later and is older', () => {
    const claims = read({ exp: 10.0019, iat: 9.0019, nbf: 9.0011 })
    expect(claims).toMatchObject({ expiresAtMs: 10_001, issuedAtMs: 9001, notBeforeMs: 9002 })
  })

  test('are refused when the audience is empty or holds anything but texts', () => {
    for (const aud of [null, '', [], [''], ['api', ''], ['api', 7], [['api']], {}, { 0: 'api' }, 7, true]) {
      expect(claimsOf({ ...LEAST, aud })).toEqual({ fault: expect.stringContaining('claim aud ') })
    }
  })

  test.each(['roles', 'permissions', 'parents'])(
    'are refused when %s is anything but a list of texts',
    (name) => {
      for (const value of [
        null,
        '',
        'documents:read',
        7,
        {},
        [null],
        [''],
        [['documents:read']],
        ['a:b', 7],
      ]) {
        expect(claimsOf({ ...LEAST, [name]: value })).toEqual({
          fault: expect.stringContaining(`claim ${name} `),
        })
      }
    },
  )

  test('R1: are refused when a permission does not fit the grammar', () => {
    for (const permission of [
      'documents',
      'documents:',
      'documents:read:all',
      'Documents:read',
      'd*:read',
      ' a:b',
    ]) {
      expect(claimsOf({ ...LEAST, permissions: ['a:b', permission] })).toHaveProperty('fault')
    }
  })

  test('are refused when scope is anything but scopes with one space between them', () => {
    for (const scope of [
      null,
      [],
      ['a:b'],
      7,
      ' ',
      ' a:b',
      'a:b ',
      'a:b  c:d',
      'a:b\tc:d',
      'a"b',
      'a\\b',
      'é',
    ]) {
      expect(claimsOf({ ...LEAST, scope })).toEqual({ fault: expect.stringContaining('claim scope ') })
    }
  })

  test('R2: tell no scope at all from a list of scopes that permits nothing', () => {
    expect(read().scopes).toBeNull()
    expect(read({ scope: '' }).scopes).toEqual([])
  })

  test('R3: leave the scopes of OpenID Connect out: a list of nothing else permits nothing', () => {
    expect(read({ scope: 'openid profile email address phone offline_access' }).scopes).toEqual([])
    expect(read({ scope: 'openid documents:read email' }).scopes).toEqual(['documents:read'])
  })

  test('are refused when pos is no position', () => {
    for (const pos of [
      null,
      '',
      7,
      '42',
      '1-AbCdEfGh',
      '1-AbCdEfGh:-1',
      '1-AbCdEfGh:042',
      ['1-AbCdEfGh:42'],
    ]) {
      expect(claimsOf({ ...LEAST, pos })).toEqual({ fault: expect.stringContaining('claim pos ') })
    }
  })

  test('are refused when cnf is no object: a binding that cannot be read is no leave to do without', () => {
    for (const cnf of [null, '', 'jkt', 7, true, [], [{ jkt: 'x' }]]) {
      expect(claimsOf({ ...LEAST, cnf })).toEqual({ fault: expect.stringContaining('claim cnf ') })
    }
  })

  test('are refused or of the right types, whatever the payload; nothing throws', () => {
    const names = fc.constantFrom(...RESERVED_CLAIMS, 'tenant', 'constructor', 'toString')
    const values = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>('api', ['api'], 1_800_000_000, 'a:b', ['a:b'], '1-AbCdEfGh:42', {}),
    )
    const payload = fc.tuple(fc.dictionary(names, values), fc.boolean())
    fc.assert(
      fc.property(payload, ([members, complete]) => {
        const claims = claimsOf(complete ? { ...LEAST, ...members } : members)
        if ('fault' in claims) return
        const texts = [
          claims.issuer,
          claims.subject,
          ...claims.audience,
          ...claims.roles,
          ...claims.permissions,
        ]
        for (const text of [...texts, ...(claims.scopes ?? [])]) {
          expect(typeof text === 'string' && text !== '').toBe(true)
        }
        expect(claims.audience.length).toBeGreaterThan(0)
        for (const time of [claims.expiresAtMs, claims.issuedAtMs, claims.notBeforeMs ?? 0]) {
          expect(Number.isSafeInteger(time) && time >= 0).toBe(true)
        }
        for (const text of [claims.tokenId, claims.clientId, claims.sessionId]) expect(text).not.toBe('')
      }),
      { numRuns: 2000 },
    )
  })

  test('keep custom claims from being changed by one caller for all others', () => {
    const { custom } = read({ plan: { seats: [1, { more: 2 }] } })
    expect(Object.isFrozen(custom)).toBe(true)
    expect(() => {
      ;(custom as { plan: { seats: unknown[] } }).plan.seats.push(3)
    }).toThrow(TypeError)
    expect(() => {
      ;(custom as { plan: { seats: [number, { more: number }] } }).plan.seats[1].more = 3
    }).toThrow(TypeError)
  })

  test('never change a prototype', () => {
    const { custom } = read(
      JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}'),
    )
    expect(({} as Record<string, unknown>).admin).toBeUndefined()
    expect((custom as Record<string, unknown>).admin).toBeUndefined()
    expect(Object.getPrototypeOf(custom)).toBe(Object.prototype)
  })

  test('that custom ones may not be named after include all that are given a meaning here', () => {
    const ours = ['client_id', 'scope', 'roles', 'permissions', 'sid', 'pos', 'cnf', 'status', 'parents']
    for (const name of ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', ...ours, 'act', '__proto__']) {
      expect(RESERVED_CLAIMS.has(name)).toBe(true)
    }
  })
})
