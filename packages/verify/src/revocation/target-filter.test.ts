import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { RevocationRules } from './revocation-rules.ts'
import { TargetFilter } from './target-filter.ts'
import { targetHash } from './target-hash.ts'

test('the filter knows everything that was added, and little else', () => {
  const filter = TargetFilter.withRoomFor(10_000)
  const targets = Array.from({ length: 10_000 }, () => `tok_${randomUUID()}`)
  for (const target of targets) filter.add(targetHash(1, 'token', target))
  expect(targets.every((target) => filter.mayHold(targetHash(1, 'token', target)))).toBe(true)
  expect(targets.filter((target) => filter.mayHold(targetHash(1, 'session', target))).length).toBeLessThan(
    1000,
  )
  const others = Array.from({ length: 10_000 }, (_, index) => `user_${index}@acme.example`)
  expect(others.filter((other) => filter.mayHold(targetHash(1, 'subject', other))).length).toBeLessThan(1000)
})

test('V1: no rule is overlooked while their number grows a thousandfold and falls again', () => {
  const rules = new RevocationRules(new Set(['1-AbCdEfGh']))
  const ids = Array.from({ length: 20_000 }, (_, index) => `tok_${index}`)
  for (const [index, target] of ids.entries()) {
    rules.add({
      id: `rev_${index}`,
      kind: 'token',
      target,
      issuer: null,
      only: null,
      ban: false,
      position: { epoch: '1-AbCdEfGh', number: index + 1 },
      issuedBeforeMs: null,
      tokensUntilMs: index % 2 === 0 ? 1000 : 9000,
    })
  }
  const killed = (): number =>
    ids.filter((tokenId) => {
      const identity = { issuer: null, tokenId, subject: 's', clientId: null, sessionId: null, pos: null }
      return rules.killsToken({ ...identity, issuedAtMs: 0, skewMs: 0 })
    }).length
  expect(killed()).toBe(20_000)
  expect(rules.dropExpired(5000)).toBe(10_000)
  expect(killed()).toBe(10_000)
})
