import { beforeEach, describe, expect, it } from 'vitest'
import {
  AUDIENCE,
  accessClaims,
  base62,
  digestOf,
  ISSUER,
  makeKey,
  rule,
  TestSigner,
} from '../../test/credentials.ts'
import { MemorySource } from '../../test/memory-source.ts'
import { TokenSigner } from '../../test/token-signer.ts'
import { formatKeyString } from '../keys/key-string.ts'
import type { SigningAlgorithm } from '../tokens/algorithms.ts'
import { VERDICT_CODES, type Verdict } from '../verdict.ts'
import { Verifier } from './verifier.ts'

const signer = new TestSigner()
const outcome = (verdict: Verdict | undefined): string => (verdict?.ok ? 'ok' : (verdict?.code ?? 'none'))

let source: MemorySource
let verifier: Verifier

beforeEach(async () => {
  source = new MemorySource()
  source.facts = [
    signer.fact,
    { type: 'issuers', own: [{ url: ISSUER, acceptUntilMs: null }] },
    { type: 'role', name: 'reader', permissions: ['documents:read'] },
  ]
  verifier = await Verifier.open({ source, audience: AUDIENCE })
})

function addKey(given: Parameters<typeof makeKey>[0] = {}): ReturnType<typeof makeKey> {
  const key = makeKey({ pos: source.position(), ...given })
  source.keys.set(key.digest, key.record)
  return key
}

function mint(more: Record<string, unknown> = {}): string {
  return signer.sign(accessClaims(source.time, source.position(), more))
}

const ask = async (credential: string, require = {}, context = {}): Promise<string> =>
  outcome(await verifier.verify({ credential, require, context }))

describe('a key', () => {
  it('speaks for its subject with its live rights', async () => {
    const { text, record } = addKey({
      roles: ['reader', 'unknown-role'],
      permissions: ['billing:*'],
      metadata: { plan: 'pro' },
    })
    expect(await verifier.verify({ credential: text })).toEqual({
      ok: true,
      kind: 'key',
      id: record.id,
      project: 'default',
      subject: 'customer-1',
      roles: ['reader'],
      permissions: ['billing:*', 'documents:read'],
      expiresAt: null,
      metadata: { plan: 'pro' },
    })
  })

  it('is never a refresh token, which is not even looked up', async () => {
    for (const prefix of ['acme_rt', `${'a'.repeat(24)}_rt`]) {
      const text = formatKeyString(prefix, base62(8), base62(30))
      source.keys.set(digestOf(text), makeKey().record)
      expect(await ask(text)).toBe('unknown')
    }
    expect(source.fetches).toBe(0)
  })

  it('is answered from memory the second time', async () => {
    const { text } = addKey()
    expect(verifier.verifyCached({ credential: text })).toBeUndefined()
    await verifier.verify({ credential: text })
    expect(outcome(verifier.verifyCached({ credential: text }))).toBe('ok')
    expect(source.fetches).toBe(1)
  })

  it('that was mistyped never reaches the authority', async () => {
    const { text } = addKey()
    expect(await ask(`${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`)).toBe('malformed')
    expect(source.fetches).toBe(0)
  })

  it('takes the same look-ups whether unknown, revoked or good', async () => {
    for (const key of [makeKey(), addKey({ revoked: true }), addKey()]) {
      source.fetches = 0
      await ask(key.text)
      await ask(key.text)
      expect(source.fetches).toBe(1)
    }
  })

  it('is recorded when it passed, and only then', async () => {
    const { text, record } = addKey()
    await ask(text)
    await ask(text)
    await ask(text, { permissions: 'admin:all' })
    const use = {
      kind: 'key',
      keyId: record.id,
      subject: record.subject,
      tags: '[]',
      ip: '',
      atMs: source.time,
    }
    expect(verifier.takeUses()).toEqual([
      { ...use, outcome: 'insufficient_permissions', count: 1 },
      { ...use, outcome: 'ok', count: 2 },
    ])
    expect(verifier.takeUses()).toEqual([])
  })

  it('with an IP list needs an address on it', async () => {
    const { text } = addKey({ ipAllow: ['10.0.0.0/8'] })
    expect(await ask(text)).toBe('ip_denied')
    expect(await ask(text, {}, { ip: '11.0.0.1' })).toBe('ip_denied')
    expect(await ask(text, {}, { ip: '::ffff:10.1.2.3' })).toBe('ok')
  })

  it('superseded by a rotation works until the end of its overlap', async () => {
    const { text } = addKey({ secret: { current: false, revoked: false, validUntilMs: source.time + 1000 } })
    expect(await ask(text)).toBe('ok')
    source.time += 1000
    expect(await ask(text)).toBe('rotated_out')
  })
})

describe('a token', () => {
  it('speaks for its subject with its live rights', async () => {
    const claims = accessClaims(source.time, source.position(), {
      roles: ['reader'],
      scope: 'documents:*',
      tenant: 7,
    })
    expect(await verifier.verify({ credential: signer.sign(claims) })).toEqual({
      ok: true,
      kind: 'token',
      id: claims.jti,
      project: 'default',
      subject: 'customer-1',
      issuer: ISSUER,
      audience: [AUDIENCE],
      clientId: 'key_minter',
      roles: ['reader'],
      permissions: ['documents:read'],
      scopes: ['documents:*'],
      claims: { tenant: 7 },
      expiresAt: new Date(source.time + 600_000).toISOString(),
      metadata: {},
    })
  })

  it('must be meant for the verifier, and a verifier that states no audience takes none', async () => {
    const token = mint()
    expect(await ask(token, { audience: 'https://other.example.com' })).toBe('wrong_audience')
    expect(await ask(token, { audience: ['https://other.example.com', AUDIENCE] })).toBe('ok')
    expect(await ask(token, { audience: 'any' })).toBe('ok')
    const open = await Verifier.open({ source })
    expect(outcome(await open.verify({ credential: token }))).toBe('wrong_audience')
  })

  it('bound to a sender is refused without a proof (RFC 7800)', async () => {
    expect(await ask(mint({ cnf: { jkt: 'x' } }))).toBe('proof_required')
  })

  it('that expired is refused though it is cached', async () => {
    const token = mint()
    expect(await ask(token)).toBe('ok')
    source.time += 600_000
    expect(await ask(token)).toBe('expired')
  })

  it('of another issuer is unknown, also one character away', async () => {
    expect(await ask(mint({ iss: `${ISSUER}/` }))).toBe('unknown')
    expect(await ask(mint({ iss: ISSUER.slice(0, -1) }))).toBe('unknown')
  })

  it('dies with its signing key, though it is cached', async () => {
    const token = mint()
    expect(await ask(token)).toBe('ok')
    source.commit({ ...signer.fact, status: 'retired' })
    expect(await ask(token)).toBe('unknown')
  })

  it('is another one when a single claim differs, whatever its end looks like', async () => {
    const token = mint()
    expect(await ask(token)).toBe('ok')
    const [header, payload = '', signature] = token.split('.')
    const forged = Buffer.from(
      Buffer.from(payload, 'base64url').toString().replace('customer-1', 'customer-2'),
    )
    expect(await ask([header, forged.toString('base64url'), signature].join('.'))).toBe('bad_signature')
  })

  it('of a disabled client or subject is suspended (V5, R6)', async () => {
    const token = mint()
    expect(await ask(token)).toBe('ok')
    source.commit({ type: 'client', id: 'key_minter', disabled: true })
    expect(await ask(token)).toBe('disabled')
    source.commit({ type: 'client', id: 'key_minter', disabled: false })
    expect(await ask(token)).toBe('ok')
    source.commit({
      type: 'subject',
      issuer: null,
      subject: 'customer-1',
      record: { disabled: true, metadata: {} },
    })
    expect(await ask(token)).toBe('disabled')
  })
})

describe('a signing key', () => {
  const hmac = new TokenSigner('HS256')
  const { secret, ...told } = hmac.fact
  const newer = { ...signer.fact, id: 'newer', algorithm: 'SLH-DSA-SHA2-128s' as SigningAlgorithm }
  const theirs = (): string => hmac.token(accessClaims(source.time, source.position()))

  it('is unknown where its secret is not given, in whatever form JSON left it, and the others serve', async () => {
    for (const fact of [told, JSON.parse(JSON.stringify(hmac.fact))]) {
      source.commit(fact)
      expect(await ask(theirs())).toBe('unknown')
      expect(await ask(mint())).toBe('ok')
    }
    expect(secret).toBeDefined()
    source.commit(hmac.fact)
    expect(await ask(theirs())).toBe('ok')
  })

  it('is unknown where its algorithm is, and the others serve', async () => {
    source.commit(newer)
    const token = signer.sign(accessClaims(source.time, source.position()), { kid: newer.id })
    expect(await ask(token)).toBe('unknown')
    expect(await ask(mint())).toBe('ok')
  })

  it('that does not fit its algorithm is not put to use', () => {
    expect(() => source.commit({ ...signer.fact, id: 'weak', algorithm: 'ES256' })).toThrow(TypeError)
  })
})

describe('revocation', () => {
  it('acts on the next call for each kind, with every cache warm (V1)', async () => {
    for (const kind of ['token', 'session', 'subject', 'client', 'everything'] as const) {
      const claims = accessClaims(source.time, source.position(), { sid: `ses_${kind}` })
      const token = signer.sign(claims)
      expect(await ask(token)).toBe('ok')
      const targets = {
        token: String(claims.jti),
        session: 'ses_session',
        subject: 'customer-1',
        client: 'key_minter',
        everything: '',
      }
      source.commit({
        type: 'revocation',
        rule: rule({ kind, target: targets[kind], position: source.position(source.head + 1) }),
      })
      expect(await ask(token), kind).toBe('revoked')
      if (kind === 'session') continue
      expect(await ask(mint()), `a token after the rule on ${kind}`).toBe('ok')
    }
  })

  it('of a subject spares a token minted in the same second, but after it (V2)', async () => {
    const before = mint()
    source.commit({
      type: 'revocation',
      rule: rule({ kind: 'subject', target: 'customer-1', position: source.position(source.head + 1) }),
    })
    expect(await ask(before)).toBe('revoked')
    expect(await ask(mint())).toBe('ok')
  })

  it('kills a token whose `pos` is of an epoch that never was (E3)', async () => {
    source.commit({
      type: 'revocation',
      rule: rule({ kind: 'subject', target: 'customer-1', position: source.position(source.head + 1) }),
    })
    expect(await ask(mint({ pos: '9-zzzzzzzz:999' }))).toBe('revoked')
    expect(await ask(mint({ pos: undefined }))).toBe('revoked')
  })

  it('of a key acts on the next call, and stays when the key is fetched again', async () => {
    const { text, record, digest } = addKey()
    expect(await ask(text)).toBe('ok')
    source.keys.set(digest, { ...record, revoked: true })
    source.commit({ type: 'key', id: record.id, digests: [digest] })
    expect(await ask(text)).toBe('revoked')
  })

  it('outlives the rule: a forgotten rule revives no key (V7)', async () => {
    const { text, record, digest } = addKey()
    expect(await ask(text)).toBe('ok')
    source.commit({
      type: 'revocation',
      rule: rule({
        kind: 'subject',
        target: record.subject,
        position: source.position(source.head + 1),
        tokensUntilMs: source.time + 1,
      }),
    })
    source.keys.set(digest, { ...record, revoked: true })
    source.time += 2
    verifier.dropExpiredRules()
    expect(await ask(text)).toBe('revoked')
  })

  it('a lifted ban lets in what is issued after the lift (V1)', async () => {
    const ban = rule({
      kind: 'subject',
      target: 'customer-1',
      ban: true,
      position: source.position(source.head + 1),
    })
    source.commit({ type: 'revocation', rule: ban })
    expect(await ask(mint())).toBe('revoked')
    const during = mint()
    source.commit(
      { type: 'lift', ruleId: ban.id },
      {
        type: 'revocation',
        rule: rule({ kind: 'subject', target: 'customer-1', position: source.position(source.head + 1) }),
      },
    )
    expect(await ask(during)).toBe('revoked')
    expect(await ask(mint())).toBe('ok')
  })
})

describe('rights', () => {
  it('follow the live role table, in caches too (R5)', async () => {
    const { text } = addKey({ roles: ['reader'], permissions: [] })
    expect(await ask(text, { permissions: 'documents:read' })).toBe('ok')
    source.commit({ type: 'role', name: 'reader', permissions: ['documents:list'] })
    expect(await ask(text, { permissions: 'documents:read' })).toBe('insufficient_permissions')
    source.commit({ type: 'role', name: 'reader', permissions: null })
    expect(await ask(text, { permissions: 'documents:list' })).toBe('insufficient_permissions')
  })

  it('are cut to what the subject’s record covers (R6)', async () => {
    const { text } = addKey({ roles: ['reader'], permissions: ['billing:write'] })
    source.commit({
      type: 'subject',
      issuer: null,
      subject: 'customer-1',
      record: { roles: ['reader'], disabled: false, metadata: {} },
    })
    expect(await ask(text, { permissions: 'documents:read' })).toBe('ok')
    expect(await ask(text, { permissions: 'billing:write' })).toBe('insufficient_permissions')
    source.commit({
      type: 'subject',
      issuer: null,
      subject: 'customer-1',
      record: { permissions: [], disabled: false, metadata: {} },
    })
    const verdict = await verifier.verify({ credential: text })
    expect(verdict).toMatchObject({ ok: true, roles: [], permissions: [] })
  })

  it('of an empty list of scopes are none (R2)', async () => {
    expect(await ask(addKey({ scopes: [] }).text, { permissions: 'documents:read' })).toBe(
      'insufficient_permissions',
    )
    expect(await ask(mint({ scope: '' }), { permissions: 'documents:read' })).toBe('insufficient_permissions')
    expect(await ask(mint({ scope: 'openid' }), { permissions: 'documents:read' })).toBe(
      'insufficient_permissions',
    )
  })

  it('a query that does not parse is the program’s error, not the caller’s', async () => {
    await expect(
      verifier.verify({ credential: addKey().text, require: { permissions: 'documents' } }),
    ).rejects.toThrow(TypeError)
  })
})

describe('a fill', () => {
  it('overtaken by a change of its key is dropped and fetched again (F2)', async () => {
    const { text, record, digest } = addKey()
    source.beforeDelivery = () => {
      source.beforeDelivery = () => {}
      source.keys.set(digest, { ...record, revoked: true })
      source.commit({ type: 'key', id: record.id, digests: [digest] })
    }
    expect(await ask(text)).toBe('revoked')
    expect(source.fetches).toBe(2)
    expect(await ask(text)).toBe('revoked')
  })

  it('that found nothing is dropped when the key is created meanwhile (F1, F2)', async () => {
    const { text, record, digest } = makeKey()
    source.beforeDelivery = () => {
      source.beforeDelivery = () => {}
      source.keys.set(digest, record)
      source.commit({ type: 'key', id: record.id, digests: [digest] })
    }
    expect(await ask(text)).toBe('ok')
  })

  it('of an unknown key is remembered until the key is created (F1)', async () => {
    const { text, record, digest } = makeKey()
    expect(await ask(text)).toBe('unknown')
    expect(await ask(text)).toBe('unknown')
    expect(source.fetches).toBe(1)
    source.keys.set(digest, record)
    source.commit({ type: 'key', id: record.id, digests: [digest] })
    expect(await ask(text)).toBe('ok')
  })

  it('is one, however many ask at once', async () => {
    const { text } = addKey()
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(text)))
    expect(new Set(answers)).toEqual(new Set(['ok']))
    expect(source.fetches).toBe(1)
  })

  it('that fails answers `unavailable`, and the next call asks again', async () => {
    const { text } = addKey()
    source.beforeDelivery = () => Promise.reject(new Error('the disk is gone'))
    expect(await ask(text)).toBe('unavailable')
    source.beforeDelivery = () => {}
    expect(await ask(text)).toBe('ok')
  })
})

describe('changes', () => {
  it('applied beyond a gap act at once but do not move the applied position (F1)', async () => {
    source.deliver(source.head + 2, { type: 'role', name: 'late', permissions: ['a:b'] })
    expect(verifier.applied).toEqual(source.position(1))
    const { text } = addKey({ roles: ['late'], permissions: [] })
    expect(await ask(text, { permissions: 'a:b' })).toBe('ok')
    source.deliver(source.head + 1, { type: 'role', name: 'late', permissions: ['old:fact'] })
    expect(verifier.applied).toEqual(source.position(3))
    expect(await ask(text, { permissions: 'a:b' })).toBe('ok')
  })

  it('of another epoch need a snapshot first (E1)', () => {
    expect(() => source.deliverIn('2-00000000', 9)).toThrow(TypeError)
  })
})

describe('freshness', () => {
  it('is the last thing looked at: no cached `ok` without it (L1, L2)', async () => {
    const { text } = addKey()
    const token = mint()
    expect([await ask(text), await ask(token)]).toEqual(['ok', 'ok'])
    source.isFresh = false
    expect(verifier.verifyCached({ credential: text })).toBeUndefined()
    expect(verifier.verifyCached({ credential: token })).toBeUndefined()
    expect([await ask(text), await ask(token)]).toEqual(['unavailable', 'unavailable'])
  })

  it('is looked at after the decision, also where that was made anew because time has gone on (L2)', async () => {
    const { text } = addKey()
    expect(await ask(text)).toBe('ok')
    source.time += 1
    const looks: (number | undefined)[] = []
    source.freshAtMs = () => {
      looks.push(source.time)
      return looks.length === 1 ? source.time : undefined
    }
    expect(verifier.verifyCached({ credential: text })).toBeUndefined()
    expect(looks).toHaveLength(2)
  })

  it('tells the time that the verdict is given by: none is given by that of the last one', async () => {
    const ending = addKey({ expiresAtMs: source.time + 1 })
    const beginning = addKey({ notBeforeMs: source.time + 1 })
    expect([await ask(ending.text), await ask(beginning.text)]).toEqual(['ok', 'not_yet_valid'])
    source.time += 1
    expect([await ask(ending.text), await ask(beginning.text)]).toEqual(['expired', 'ok'])
    source.time -= 1
    expect([await ask(ending.text), await ask(beginning.text)]).toEqual(['ok', 'not_yet_valid'])
  })

  it('regained by asking lets the facts of that answer decide (L4)', async () => {
    const token = mint()
    expect(await ask(token)).toBe('ok')
    source.isFresh = false
    source.onRefresh = () => {
      source.commit({
        type: 'revocation',
        rule: rule({ kind: 'subject', target: 'customer-1', position: source.position(source.head + 1) }),
      })
      source.isFresh = true
      return true
    }
    expect(await ask(token)).toBe('revoked')
  })

  it('is not needed to say that a text is no credential', async () => {
    source.isFresh = false
    expect(await ask('nonsense')).toBe('malformed')
  })
})

describe('the order of the verdicts', () => {
  it('is the order of the table', () => {
    expect(Object.keys(VERDICT_CODES)).toEqual([
      'malformed',
      'unknown',
      'bad_signature',
      'wrong_audience',
      'revoked',
      'rotated_out',
      'disabled',
      'expired',
      'not_yet_valid',
      'proof_required',
      'bad_proof',
      'ip_denied',
      'insufficient_permissions',
      'rate_limited',
      'quota_exceeded',
      'unavailable',
    ])
  })

  it('decides which of several faults of a key is told', async () => {
    const faults: [string, Parameters<typeof makeKey>[0]][] = [
      ['revoked', { revoked: true }],
      ['rotated_out', { secret: { current: false, revoked: false, validUntilMs: source.time } }],
      ['disabled', { disabled: true }],
      ['expired', { expiresAtMs: source.time }],
      ['not_yet_valid', { notBeforeMs: source.time + 1 }],
      ['ip_denied', { ipAllow: ['10.0.0.0/8'] }],
      ['insufficient_permissions', { permissions: [] }],
    ]
    for (const [index, [code]] of faults.entries()) {
      const given = Object.assign({}, ...faults.slice(index).map(([, fault]) => fault))
      expect(await ask(addKey(given).text, { permissions: 'documents:read' })).toBe(code)
    }
  })

  it('decides which of several faults of a token is told', async () => {
    const expired = accessClaims(source.time - 3_600_000, source.position(), { permissions: [] })
    const wrong = { audience: 'https://other.example.com', permissions: 'documents:read' }
    const altered = (token: string): string => `${token.slice(0, -10)}AAAAAAAAAA`
    expect(await ask(altered(signer.sign({ ...expired, exp: 'soon', iss: 'x' })), wrong)).toBe('malformed')
    expect(await ask(altered(signer.sign({ ...expired, iss: 'https://x.example' })), wrong)).toBe('unknown')
    expect(await ask(altered(signer.sign(expired)), wrong)).toBe('bad_signature')
    source.commit({
      type: 'revocation',
      rule: rule({ kind: 'subject', target: 'customer-1', position: source.position(source.head + 1) }),
    })
    expect(await ask(signer.sign(expired), wrong)).toBe('wrong_audience')
    expect(await ask(signer.sign(expired), { permissions: 'documents:read' })).toBe('revoked')
    const later = accessClaims(source.time - 3_600_000, source.position(), {
      permissions: [],
      nbf: Math.floor(source.time / 1000) + 60,
    })
    expect(await ask(signer.sign(later), { permissions: 'documents:read' })).toBe('expired')
    expect(await ask(mint({ nbf: later.nbf, permissions: [] }), { permissions: 'documents:read' })).toBe(
      'not_yet_valid',
    )
    expect(await ask(mint({ permissions: [] }), { permissions: 'documents:read' })).toBe(
      'insufficient_permissions',
    )
  })
})

describe('the caches', () => {
  it('are bounded, and spare what is in use', async () => {
    const small = await Verifier.open({ source, audience: AUDIENCE, maxCachedKeys: 10, maxCachedTokens: 10 })
    const daily = addKey()
    await small.verify({ credential: daily.text })
    for (let count = 0; count < 100; count++) {
      await small.verify({ credential: addKey().text })
      expect(outcome(small.verifyCached({ credential: daily.text }))).toBe('ok')
    }
  })

  it('take nothing from guesses: an unknown key pushes out no known one', async () => {
    const small = await Verifier.open({ source, maxCachedKeys: 2 })
    const { text } = addKey()
    await small.verify({ credential: text })
    for (let count = 0; count < 50; count++) await small.verify({ credential: makeKey().text })
    expect(outcome(small.verifyCached({ credential: text }))).toBe('ok')
  })
})
