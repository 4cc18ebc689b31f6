import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RevocationRule } from '../changes/change.ts'
import type { Position } from '../changes/position.ts'
import { type KeyIdentity, RevocationRules, type TokenIdentity } from './revocation-rules.ts'

const FIRST = '1-aaaaaaaa'
const SECOND = '2-bbbbbbbb'
const UNKNOWN = '1-zzzzzzzz'
const EPOCHS = new Set([FIRST, SECOND])

describe('kinds without a cut-off', () => {
  test('V1: a token rule kills the token of its id, and no other', () => {
    const rules = holding(rule({ kind: 'token', target: 't1' }))
    expect(rules.killsToken(token({ tokenId: 't1', pos: at(99) }))).toBe(true)
    expect(rules.killsToken(token({ tokenId: 't2' }))).toBe(false)
  })

  test('V1: a session rule kills every token of the session, whenever issued', () => {
    const rules = holding(rule({ kind: 'session', target: 's1' }))
    expect(rules.killsToken(token({ sessionId: 's1', pos: at(99) }))).toBe(true)
    expect(rules.killsToken(token({ sessionId: null }))).toBe(false)
  })

  test('V1: a key rule kills the key', () => {
    const rules = holding(rule({ kind: 'key', target: 'k1' }))
    expect(rules.killsKey(key({ id: 'k1', pos: at(99) }))).toBe(true)
    expect(rules.killsKey(key({ id: 'k2' }))).toBe(false)
  })

  test('V5: a key rule alone spares what the key issued; a client rule of the same id kills it', () => {
    const rules = holding(rule({ kind: 'key', target: 'k1' }))
    const issued = token({ clientId: 'k1', pos: at(3) })
    expect(rules.killsToken(issued)).toBe(false)
    rules.add(rule({ kind: 'client', target: 'k1', only: 'tokens' }))
    expect(rules.killsToken(issued)).toBe(true)
  })

  test('V1: only narrows subject, client and everything, never a token, session or key', () => {
    const rules = holding(
      rule({ id: 'a', kind: 'token', target: 't1', only: 'keys', issuedBeforeMs: 0 }),
      rule({ id: 'b', kind: 'key', target: 'k1', only: 'tokens', issuedBeforeMs: 0 }),
    )
    expect(rules.killsToken(token({ tokenId: 't1' }))).toBe(true)
    expect(rules.killsKey(key({ id: 'k1' }))).toBe(true)
  })
})

describe('all so far', () => {
  test.each([
    ['subject', 'u1'],
    ['client', 'c1'],
    ['everything', ''],
  ] as const)('V2: a %s rule at position 5 kills pos 4 and spares pos 5', (kind, target) => {
    const rules = holding(rule({ kind, target, position: at(5) }))
    const with_ = (pos: Position | null) => token({ subject: 'u1', clientId: 'c1', pos })
    expect(rules.killsToken(with_(at(4)))).toBe(true)
    expect(rules.killsToken(with_(at(5)))).toBe(false)
    expect(rules.killsToken(with_(at(6)))).toBe(false)
  })

  test('V2: a token without pos is older than every rule', () => {
    const rules = holding(rule({ kind: 'subject', target: 'u1' }))
    expect(rules.killsToken(token({ subject: 'u1', pos: null }))).toBe(true)
  })

  test('E3: a pos of an unknown epoch is older than every rule', () => {
    const rules = holding(rule({ kind: 'subject', target: 'u1', position: at(5) }))
    const pos = { epoch: UNKNOWN, number: 99 }
    expect(rules.killsToken(token({ subject: 'u1', pos }))).toBe(true)
    expect(rules.killsKey(key({ subject: 'u1', pos }))).toBe(true)
  })

  test('E1: a pos of a later epoch is after the rule, one of an earlier epoch before it', () => {
    const rules = holding(rule({ kind: 'subject', target: 'u1', position: at(5, SECOND) }))
    expect(rules.killsToken(token({ subject: 'u1', pos: at(99, FIRST) }))).toBe(true)
    expect(rules.killsToken(token({ subject: 'u1', pos: at(6, SECOND) }))).toBe(false)
  })

  test('V4: a key is as old as its creation', () => {
    const rules = holding(rule({ kind: 'subject', target: 'u1', position: at(5) }))
    expect(rules.killsKey(key({ subject: 'u1', pos: at(4) }))).toBe(true)
    expect(rules.killsKey(key({ subject: 'u1', pos: at(5) }))).toBe(false)
  })

  test('V1: a client rule kills the key that acts as this client, unless it is for tokens only', () => {
    expect(holding(rule({ kind: 'client', target: 'k1' })).killsKey(key({ id: 'k1' }))).toBe(true)
    const forTokens = holding(rule({ kind: 'client', target: 'k1', only: 'tokens' }))
    expect(forTokens.killsKey(key({ id: 'k1' }))).toBe(false)
  })

  test('V1: only keys spares tokens, only tokens spares keys, a ban too', () => {
    for (const ban of [true, false]) {
      const keys = holding(rule({ kind: 'everything', target: '', only: 'keys', ban }))
      expect(keys.killsToken(token({}))).toBe(false)
      expect(keys.killsKey(key({}))).toBe(true)
      const tokens = holding(rule({ kind: 'everything', target: '', only: 'tokens', ban }))
      expect(tokens.killsToken(token({}))).toBe(true)
      expect(tokens.killsKey(key({}))).toBe(false)
    }
  })

  test('V1: everything means everything, whatever target the rule came with', () => {
    const rules = holding(rule({ kind: 'everything', target: 'stray' }))
    expect(rules.killsToken(token({}))).toBe(true)
  })
})

describe('derived tokens', () => {
  test('R4: what kills a token or a client that it was derived from kills it, and nothing else of theirs', () => {
    const derived = token({ tokenId: 't9', parents: ['iat:0', 't0', 'k0'] })
    expect(holding(rule({ kind: 'token', target: 't0' })).killsToken(derived)).toBe(true)
    expect(holding(rule({ kind: 'client', target: 'k0' })).killsToken(derived)).toBe(true)
    expect(holding(rule({ kind: 'client', target: 'k0', only: 'keys' })).killsToken(derived)).toBe(false)
    expect(holding(rule({ kind: 'client', target: 'k0', position: at(1) })).killsToken(derived)).toBe(false)
    expect(holding(rule({ kind: 'subject', target: 't0' })).killsToken(derived)).toBe(false)
    expect(holding(rule({ kind: 'token', target: 't9' })).killsToken(token({}))).toBe(false)
  })
})

describe('issued before', () => {
  const rules = holding(rule({ kind: 'subject', target: 'u1', position: at(5), issuedBeforeMs: 10_000 }))

  test('V3: doubt denies: a token dies up to a second after the time, and the skew of its issuer more', () => {
    const issuedAt = (issuedAtMs: number, skewMs: number) => token({ subject: 'u1', issuedAtMs, skewMs })
    expect(rules.killsToken(issuedAt(10_999, 0))).toBe(true)
    expect(rules.killsToken(issuedAt(11_000, 0))).toBe(false)
    expect(rules.killsToken(issuedAt(70_999, 60_000))).toBe(true)
    expect(rules.killsToken(issuedAt(71_000, 60_000))).toBe(false)
  })

  test('V3: a key knows its creation to the millisecond', () => {
    expect(rules.killsKey(key({ subject: 'u1', createdAtMs: 9_999 }))).toBe(true)
    expect(rules.killsKey(key({ subject: 'u1', createdAtMs: 10_000 }))).toBe(false)
  })

  test('V2: what was issued after the rule is spared, whatever its iat says', () => {
    expect(rules.killsToken(token({ subject: 'u1', issuedAtMs: 0, pos: at(5) }))).toBe(false)
  })
})

describe('issuers', () => {
  test('V1: a rule for own issuers spares foreign tokens, and the other way round', () => {
    const own = holding(rule({ kind: 'subject', target: 'u1' }))
    expect(own.killsToken(token({ subject: 'u1', issuer: 'https://other.example' }))).toBe(false)
    const foreign = holding(rule({ kind: 'subject', target: 'u1', issuer: 'https://other.example' }))
    expect(foreign.killsToken(token({ subject: 'u1' }))).toBe(false)
    expect(foreign.killsKey(key({ subject: 'u1' }))).toBe(false)
    expect(foreign.killsToken(token({ subject: 'u1', issuer: 'https://other.example' }))).toBe(true)
  })

  test('V3: a foreign token cannot spare itself by a pos of its own', () => {
    const rules = holding(rule({ kind: 'subject', target: 'u1', issuer: 'https://other.example' }))
    const forged = token({ subject: 'u1', issuer: 'https://other.example', pos: at(999) })
    expect(rules.killsToken(forged)).toBe(true)
  })
})

describe('bans', () => {
  test('V1: a ban kills whenever issued, until it is lifted', () => {
    const rules = holding(rule({ id: 'ban', kind: 'subject', target: 'u1', ban: true }))
    const later = token({ subject: 'u1', pos: at(99) })
    expect(rules.killsToken(later)).toBe(true)
    rules.lift('ban')
    expect(rules.killsToken(later)).toBe(false)
    expect(rules.size).toBe(0)
  })

  test('V1: lifting a ban undoes nothing else', () => {
    const rules = holding(
      rule({ id: 'older', kind: 'subject', target: 'u1', position: at(3) }),
      rule({ id: 'ban', kind: 'subject', target: 'u1', ban: true, position: at(4) }),
      rule({ id: 'token', kind: 'token', target: 't1' }),
    )
    for (const id of ['ban', 'older', 'token']) rules.lift(id)
    expect(rules.killsToken(token({ subject: 'u1', pos: at(2) }))).toBe(true)
    expect(rules.killsToken(token({ subject: 'u1', pos: at(9) }))).toBe(false)
    expect(rules.killsToken(token({ tokenId: 't1' }))).toBe(true)
  })

  test('F1: a ban that arrives after its lift stays lifted', () => {
    const rules = holding()
    rules.lift('ban')
    rules.add(rule({ id: 'ban', kind: 'subject', target: 'u1', ban: true }))
    expect(rules.killsToken(token({ subject: 'u1' }))).toBe(false)
  })

  test('V7: a ban does not expire', () => {
    const rules = holding(rule({ kind: 'subject', target: 'u1', ban: true, tokensUntilMs: 1 }))
    expect(rules.dropExpired(Number.MAX_SAFE_INTEGER)).toBe(0)
    expect(rules.killsToken(token({ subject: 'u1' }))).toBe(true)
  })
})

describe('holding many', () => {
  test('V7: rules that no token can meet any more are dropped, those without an end stay', () => {
    const rules = holding(
      rule({ id: 'a', kind: 'token', target: 't1', tokensUntilMs: 100 }),
      rule({ id: 'b', kind: 'token', target: 't2', tokensUntilMs: 101 }),
      rule({ id: 'c', kind: 'token', target: 't3', tokensUntilMs: null }),
    )
    expect(rules.dropExpired(101)).toBe(1)
    expect(rules.killsToken(token({ tokenId: 't1' }))).toBe(false)
    expect(rules.killsToken(token({ tokenId: 't2' }))).toBe(true)
    expect(rules.killsToken(token({ tokenId: 't3' }))).toBe(true)
  })

  test('adding a rule again changes nothing', () => {
    const rules = holding()
    for (let time = 0; time < 3; time++)
      rules.add(rule({ id: 'a', kind: 'subject', target: 'u1', ban: true }))
    expect(rules.size).toBe(1)
    rules.lift('a')
    expect(rules.size).toBe(0)
  })

  test('signing a subject out again and again holds one rule', () => {
    const rules = holding()
    for (let number = 1; number <= 100; number++) {
      rules.add(rule({ id: `r${number}`, kind: 'subject', target: 'u1', position: at(number) }))
    }
    expect(rules.size).toBe(1)
    expect(rules.killsToken(token({ subject: 'u1', pos: at(99) }))).toBe(true)
  })

  test('a look-up reads no rule of another target', () => {
    const read = new Set<string>()
    const rules = holding()
    for (let index = 0; index < 1000; index++) {
      const kind = index % 2 === 0 ? 'client' : 'subject'
      rules.add(
        watched(rule({ id: `other${index}`, kind, target: `x${index % 10}`, issuedBeforeMs: index }), read),
      )
    }
    rules.add(watched(rule({ id: 'own1', kind: 'client', target: 'c1', ban: true }), read))
    rules.add(watched(rule({ id: 'own2', kind: 'client', target: 'c1', position: at(7) }), read))
    read.clear()
    rules.killsToken(token({ clientId: 'c1', subject: 'u1' }))
    rules.killsKey(key({ id: 'c1' }))
    expect([...read].filter((id) => id.startsWith('other'))).toEqual([])
  })
})

describe('against a list of all rules', () => {
  const position = fc.record({ epoch: fc.constantFrom(FIRST, SECOND, UNKNOWN), number: fc.nat({ max: 6 }) })
  const timeMs = fc.nat({ max: 8 }).map((seconds) => seconds * 500)
  // Of the kinds of target that are held in different ways: plain, of other letters, and too long for the table.
  const id = fc.constantFrom('x', 'x', 'y', 'é', '', 'x'.repeat(300))
  const anyRule = fc.record({
    id: fc.nat({ max: 30 }).map(String),
    kind: fc.constantFrom('token', 'session', 'key', 'subject', 'client', 'everything'),
    target: id,
    issuer: fc.constantFrom(null, null, 'https://other.example'),
    only: fc.constantFrom(null, null, 'keys', 'tokens'),
    ban: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
    position,
    issuedBeforeMs: fc.option(timeMs),
    tokensUntilMs: fc.option(timeMs),
  }) satisfies fc.Arbitrary<RevocationRule>
  const anyToken = fc.record({
    issuer: fc.constantFrom(null, null, 'https://other.example'),
    tokenId: id,
    subject: id,
    clientId: fc.option(id),
    sessionId: fc.option(id),
    pos: fc.option(position),
    issuedAtMs: timeMs,
    skewMs: fc.constantFrom(0, 500),
  })
  const anyKey = fc.record({ id, subject: id, pos: position, createdAtMs: timeMs })
  const step = fc.oneof(
    { weight: 8, arbitrary: anyRule.map((added) => ({ type: 'add', rule: added }) as const) },
    {
      weight: 2,
      arbitrary: fc.nat({ max: 30 }).map((lifted) => ({ type: 'lift', id: String(lifted) }) as const),
    },
    { weight: 1, arbitrary: timeMs.map((nowMs) => ({ type: 'drop', nowMs }) as const) },
  )

  test('V1, V2, V3, E3: whatever was added, lifted and dropped, the same credentials die', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(anyToken, { minLength: 8, maxLength: 8 }),
        fc.array(anyKey, { minLength: 8, maxLength: 8 }),
        (steps, tokens, keys) => {
          const rules = new RevocationRules(EPOCHS)
          const naive = new NaiveRules()
          for (const one of steps) {
            if (one.type === 'add') {
              // One id is one rule: what else comes under it is that rule again.
              const known = naive.seen.get(one.rule.id) ?? one.rule
              rules.add(known)
              naive.add(known)
            } else if (one.type === 'lift') {
              rules.lift(one.id)
              naive.lift(one.id)
            } else {
              rules.dropExpired(one.nowMs)
              naive.drop(one.nowMs)
            }
          }
          for (const one of tokens) expect(rules.killsToken(one)).toBe(naive.killersOfToken(one).length > 0)
          for (const one of keys) expect(rules.killsKey(one)).toBe(naive.killersOfKey(one).length > 0)
          expect(rules.size).toBeLessThanOrEqual(naive.held.size)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

/** The rules as PROTOCOL words them, one by one. */
class NaiveRules {
  readonly seen = new Map<string, RevocationRule>()
  readonly held = new Map<string, RevocationRule>()
  readonly #lifted = new Set<string>()

  add(added: RevocationRule): void {
    this.seen.set(added.id, added)
    if (!this.#lifted.has(added.id)) this.held.set(added.id, added)
  }

  lift(ruleId: string): void {
    this.#lifted.add(ruleId)
    const lifted = this.held.get(ruleId)
    if (lifted?.ban && ['subject', 'client', 'everything'].includes(lifted.kind)) this.held.delete(ruleId)
  }

  drop(nowMs: number): void {
    for (const held of this.held.values()) {
      const banned = held.ban && ['subject', 'client', 'everything'].includes(held.kind)
      if (!banned && held.tokensUntilMs !== null && held.tokensUntilMs < nowMs) this.held.delete(held.id)
    }
  }

  killersOfToken(one: TokenIdentity): string[] {
    return this.#killers(one.issuer, 'tokens', (held) => {
      if (held.kind === 'token') return held.target === one.tokenId
      if (held.kind === 'session') return held.target === one.sessionId
      if (held.kind === 'key') return false
      if (held.kind === 'subject' && held.target !== one.subject) return false
      if (held.kind === 'client' && held.target !== one.clientId) return false
      const before = one.issuer !== null || one.pos === null || isOlder(one.pos, held.position)
      const inTime = held.issuedBeforeMs === null || one.issuedAtMs < held.issuedBeforeMs + 1000 + one.skewMs
      return held.ban || (before && inTime)
    })
  }

  killersOfKey(one: KeyIdentity): string[] {
    return this.#killers(null, 'keys', (held) => {
      if (held.kind === 'token' || held.kind === 'session') return false
      if (held.kind === 'key') return held.target === one.id
      if (held.kind === 'subject' && held.target !== one.subject) return false
      if (held.kind === 'client' && held.target !== one.id) return false
      const inTime = held.issuedBeforeMs === null || one.createdAtMs < held.issuedBeforeMs
      return held.ban || (isOlder(one.pos, held.position) && inTime)
    })
  }

  #killers(
    issuer: string | null,
    what: 'keys' | 'tokens',
    kills: (held: RevocationRule) => boolean,
  ): string[] {
    return [...this.held.values()]
      .filter((held) => held.issuer === issuer && kills(held))
      .filter((held) => ['token', 'session', 'key'].includes(held.kind) || (held.only ?? what) === what)
      .map((held) => held.id)
  }
}

function isOlder(pos: Position, cutoff: Position): boolean {
  if (!EPOCHS.has(pos.epoch)) return true
  const rank = (position: Position) => [position.epoch, String(position.number).padStart(9, '0')].join()
  return rank(pos) < rank(cutoff)
}

/** A rule that notes down that it was read. */
function watched(original: RevocationRule, read: Set<string>): RevocationRule {
  return new Proxy(original, {
    get(target, property, receiver) {
      read.add(target.id)
      return Reflect.get(target, property, receiver)
    },
  })
}

function holding(...added: readonly RevocationRule[]): RevocationRules {
  const rules = new RevocationRules(EPOCHS)
  for (const one of added) rules.add(one)
  return rules
}

function at(number: number, epoch = FIRST): Position {
  return { epoch, number }
}

function rule(parts: Partial<RevocationRule>): RevocationRule {
  return {
    id: 'r1',
    kind: 'token',
    target: 't0',
    issuer: null,
    only: null,
    ban: false,
    position: at(5),
    issuedBeforeMs: null,
    tokensUntilMs: null,
    ...parts,
  }
}

function token(parts: Partial<TokenIdentity>): TokenIdentity {
  return {
    issuer: null,
    tokenId: 't0',
    subject: 'u0',
    clientId: null,
    sessionId: null,
    pos: at(1),
    issuedAtMs: 0,
    skewMs: 0,
    ...parts,
  }
}

function key(parts: Partial<KeyIdentity>): KeyIdentity {
  return { id: 'k0', subject: 'u0', pos: at(1), createdAtMs: 0, ...parts }
}
