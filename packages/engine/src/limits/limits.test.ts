import { Verifier } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from '../../test/issuing.ts'
import { DatabaseSource } from '../changes/database-source.ts'
import { readHead } from '../changes/read-head.ts'
import { changeKey } from '../keys/change-key.ts'
import { createKey } from '../keys/create-key.ts'
import { readKey } from '../keys/read-key.ts'
import { revokeKey } from '../keys/revoke-key.ts'
import { rotateKey } from '../keys/rotate-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { deleteSubject } from '../subjects/delete-subject.ts'
import { patchSubject } from '../subjects/patch-subject.ts'
import { putSubject } from '../subjects/put-subject.ts'
import { mintToken } from '../tokens/mint-token.ts'
import { LimitCounters } from './limit-counters.ts'

let installation: TestInstallation
let issuing: Issuing

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
})
afterAll(() => installation.close())

const perMinute = (limit: number) => ({ name: 'per-minute', limit, windowSeconds: 60 })
const perHour = (limit: number) => ({ name: 'per-hour', limit, windowSeconds: 3600 })

const QUOTA_OF_5 = { limit: 5, refill: null }

async function makeKey(fields: object): Promise<{ id: string; credential: string }> {
  return createKey(issuing.scope, { name: 'limited', ...fields })
}

function verify(credential: string, cost?: number) {
  return issuing.verifier.verify({ credential, ...(cost === undefined ? {} : { cost }) })
}

/** How many of so many parallel calls pass; every other one must be refused with the code. */
async function passing(credential: string, calls: number, code: string): Promise<number> {
  const verdicts = await Promise.all(Array.from({ length: calls }, () => verify(credential)))
  for (const verdict of verdicts) if (!verdict.ok) expect(verdict.code).toBe(code)
  return verdicts.filter(({ ok }) => ok).length
}

async function remainingOf(credential: string): Promise<Record<string, number>> {
  const { limits = [] } = await verify(credential, 0)
  return Object.fromEntries(limits.map(({ of, name, remaining }) => [`${of}:${name}`, remaining]))
}

describe('the limits of a key', () => {
  test('Q1: the verdict tells what is left, and what is refused says when to come back', async () => {
    const { credential } = await makeKey({ limits: [perMinute(2)] })
    const figure = { of: 'key', name: 'per-minute', limit: 2 }
    expect(await verify(credential)).toMatchObject({
      ok: true,
      limits: [{ ...figure, remaining: 1, resetSeconds: 60 }],
    })
    installation.clock.advance(20_000)
    await verify(credential)
    expect(await verify(credential)).toMatchObject({
      ok: false,
      code: 'rate_limited',
      status: 429,
      limits: [{ ...figure, remaining: 0, resetSeconds: 40 }],
      retryAfterSeconds: 40,
    })
    installation.clock.advance(39_999)
    expect(await verify(credential)).toMatchObject({ ok: false, retryAfterSeconds: 1 })
    installation.clock.advance(1)
    expect(await verify(credential)).toMatchObject({ ok: true })
  })

  test.each([
    ['Q1, S2: a short window', { limits: [perMinute(1)] }, 'rate_limited'],
    ['Q1, S2: a long window', { limits: [perHour(1)] }, 'rate_limited'],
    ['Q1, S2: a quota without refill', { quota: { limit: 1, refill: null } }, 'quota_exceeded'],
    ['Q1, S2: a daily quota', { quota: { limit: 1, refill: 'daily' } }, 'quota_exceeded'],
  ])('%s gives its last unit to exactly one of 50 parallel calls', async (_, fields, code) => {
    const { credential } = await makeKey(fields)
    expect(await passing(credential, 50, code)).toBe(1)
  })

  test('Q1: 50 parallel calls spend exactly the 37 units that there are', async () => {
    const { credential } = await makeKey({
      limits: [perMinute(1000)],
      quota: { limit: 37, refill: 'monthly' },
    })
    expect(await passing(credential, 50, 'quota_exceeded')).toBe(37)
    expect(await remainingOf(credential)).toEqual({ 'key:per-minute': 963, 'key:quota': 0 })
  })

  test('Q1: a refusal burns nothing of any limit', async () => {
    const { credential } = await makeKey({
      limits: [perMinute(5), perHour(50)],
      quota: { limit: 500, refill: 'monthly' },
    })
    await verify(credential, 3)
    expect(await verify(credential, 3)).toMatchObject({ code: 'rate_limited' })
    expect(await remainingOf(credential)).toEqual({
      'key:per-minute': 2,
      'key:per-hour': 47,
      'key:quota': 497,
    })
  })

  test('a rate limit is named before a quota, in the order of the verdict table', async () => {
    const { credential } = await makeKey({ limits: [perMinute(1)], quota: { limit: 1, refill: null } })
    await verify(credential)
    expect(await verify(credential)).toMatchObject({ code: 'rate_limited', retryAfterSeconds: null })
    installation.clock.advance(60_000)
    expect(await verify(credential)).toMatchObject({ code: 'quota_exceeded', retryAfterSeconds: null })
  })

  test('a cost of 0 looks, one above the limit never passes, and one that is no count is a TypeError', async () => {
    const { credential } = await makeKey({ limits: [perHour(10)] })
    expect(await verify(credential, 0)).toMatchObject({ ok: true, limits: [{ remaining: 10 }] })
    expect(await verify(credential, 11)).toMatchObject({ code: 'rate_limited', retryAfterSeconds: null })
    expect(await verify(credential, 10)).toMatchObject({ ok: true, limits: [{ remaining: 0 }] })
    for (const cost of [-1, 0.5, Number.NaN])
      await expect(verify(credential, cost)).rejects.toThrow(TypeError)
  })

  test('Q1: a rotation keeps what is left', async () => {
    const { id, credential } = await makeKey({ limits: [perMinute(3)], quota: { limit: 3, refill: null } })
    await verify(credential, 2)
    const rotated = await rotateKey(issuing.scope, id, {})
    await verify(rotated.credential, 1)
    expect(await verify(credential)).toMatchObject({ ok: false, code: 'rate_limited' })
    expect(await verify(rotated.credential)).toMatchObject({ ok: false, code: 'rate_limited' })
  })

  test('a change keeps what was spent, also one to another window and back', async () => {
    const { id, credential } = await makeKey({
      limits: [perHour(10)],
      quota: { limit: 10, refill: 'monthly' },
    })
    await verify(credential, 8)
    await changeKey(issuing.scope, id, { limits: [perHour(9)], quota: { limit: 20, refill: 'monthly' } })
    expect(await remainingOf(credential)).toEqual({ 'key:per-hour': 1, 'key:quota': 12 })
    await changeKey(issuing.scope, id, {
      limits: [{ ...perHour(10), windowSeconds: 61 }],
      quota: { limit: 10, refill: 'hourly' },
    })
    await verify(credential)
    installation.clock.advance(61_000)
    await changeKey(issuing.scope, id, { limits: [perHour(10)], quota: { limit: 10, refill: 'monthly' } })
    expect(await remainingOf(credential)).toEqual({ 'key:per-hour': 2, 'key:quota': 2 })
    await changeKey(issuing.scope, id, { limits: null, quota: null })
    expect(await verify(credential)).not.toHaveProperty('limits')
    await changeKey(issuing.scope, id, { limits: [perHour(10)] })
    expect(await remainingOf(credential)).toEqual({ 'key:per-hour': 2 })
  })

  test('show with the key, and `[]` clears them', async () => {
    const { id } = await makeKey({ limits: [perHour(10)], quota: { limit: 5, refill: null } })
    expect(await readKey(issuing.scope, id)).toMatchObject({
      limits: [perHour(10)],
      quota: { limit: 5, refill: null },
    })
    expect(await changeKey(issuing.scope, id, { limits: [] })).toMatchObject({
      limits: [],
      quota: { limit: 5, refill: null },
    })
  })

  test.each([
    ['two limits of one name', { limits: [perMinute(1), perMinute(2)] }],
    ['the name `quota`', { limits: [{ ...perMinute(1), name: 'quota' }] }],
    ['a limit of 0', { limits: [perMinute(0)] }],
    ['a fraction', { limits: [perMinute(1.5)] }],
    ['a limit beyond exact counting', { quota: { limit: 1e16, refill: null } }],
    ['a window of 0 s', { limits: [{ ...perMinute(1), windowSeconds: 0 }] }],
    ['a window beyond 31 days', { limits: [{ ...perMinute(1), windowSeconds: 2_678_401 }] }],
    ['an unknown refill', { quota: { limit: 1, refill: 'weekly' } }],
    ['no refill named', { quota: { limit: 1 } }],
    ['nine limits', { limits: Array.from({ length: 9 }, (_, i) => ({ ...perMinute(1), name: `n${i}` })) }],
  ])('refuse %s', async (_, fields) => {
    expect(await codeOf(makeKey(fields))).toBe('invalid_request')
  })

  test('M3: loosening them needs the grants for what the key holds; tightening needs none', async () => {
    const { id } = await makeKey({ permissions: ['billing:read'], limits: [perHour(10)] })
    const { id: callerId } = await createManagementKey(issuing.scope, {
      name: 'narrow',
      project: 'default',
      verbs: ['keys:write'],
    })
    const caller = issuing.as(managementKey(callerId))
    await changeKey(caller, id, { limits: [perHour(5)], quota: { limit: 5, refill: null } })
    for (const fields of [{ limits: [perHour(6)] }, { limits: [] }, { quota: null }]) {
      expect(await codeOf(changeKey(caller, id, fields))).toBe('exceeds_grants')
    }
  })
})

describe('V5: a token that is derived from a key with limits', () => {
  const derive = async (parent: string, input: object = {}) =>
    (await mintToken(issuing.scope, { parent, audience: AUDIENCE, ...input })).credential

  /** Another verifier, which knows nothing but a snapshot. */
  async function openOther(): Promise<Verifier> {
    const source = new DatabaseSource(installation, 'default')
    return Verifier.open({ source, audience: AUDIENCE })
  }

  test('is counted with it, and so is what is derived from that', async () => {
    const { credential } = await makeKey({ permissions: ['a:b'], limits: [perMinute(9)], quota: QUOTA_OF_5 })
    const token = await derive(credential)
    const grandchild = await derive(token)
    expect(await remainingOf(credential)).toEqual({ 'key:per-minute': 9, 'key:quota': 5 })
    for (const text of [token, grandchild, credential, token, grandchild]) {
      expect(await verify(text)).toMatchObject({ ok: true })
    }
    for (const text of [token, grandchild, credential]) {
      expect(await verify(text)).toMatchObject({ ok: false, code: 'quota_exceeded', status: 429 })
      expect(await remainingOf(text)).toEqual({ 'key:per-minute': 4, 'key:quota': 0 })
    }
  })

  test('Q1: leaves the last unit of the key to exactly one of 50 parallel calls with key and tokens', async () => {
    const { credential } = await makeKey({ quota: { limit: 1, refill: null } })
    const texts = [credential, await derive(credential), await derive(credential)]
    const verdicts = await Promise.all(
      Array.from({ length: 50 }, (_, index) => verify(texts[index % texts.length] ?? credential)),
    )
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(1)
  })

  test('is counted by a verifier that knows nothing but a snapshot', async () => {
    const { credential } = await makeKey({ quota: QUOTA_OF_5 })
    const token = await derive(credential)
    const other = await openOther()
    expect(await other.verify({ credential: token, cost: 5 })).toMatchObject({ ok: true })
    expect(await other.verify({ credential: token })).toMatchObject({ code: 'quota_exceeded' })
    other.close()
  })

  test('is counted by the limits that the key has now', async () => {
    const { id, credential } = await makeKey({ quota: QUOTA_OF_5 })
    const token = await derive(credential)
    await changeKey(issuing.scope, id, { quota: { limit: 7, refill: null } })
    expect(await verify(token, 7)).toMatchObject({ ok: true })
    expect(await verify(token)).toMatchObject({ code: 'quota_exceeded' })
    await changeKey(issuing.scope, id, { quota: null })
    expect(await verify(token)).toMatchObject({ ok: true })
    const other = await openOther()
    expect(await other.verify({ credential: token })).not.toHaveProperty('limits')
    await changeKey(issuing.scope, id, { quota: QUOTA_OF_5 })
    const anew = await derive(credential)
    for (const verifier of [issuing.verifier, other]) {
      expect(await verifier.verify({ credential: anew })).toMatchObject({ code: 'quota_exceeded' })
    }
    other.close()
  })

  test('ends when the key is given a limit that it had not', async () => {
    const { id, credential } = await makeKey({ permissions: ['a:b'] })
    const token = await derive(credential)
    expect(await verify(token)).toMatchObject({ ok: true })
    await changeKey(issuing.scope, id, { quota: { limit: 1, refill: null } })
    expect(await verify(token)).toMatchObject({ ok: false, code: 'revoked' })
  })

  test('keeps its limits while the key is disabled and enabled again', async () => {
    const { id, credential } = await makeKey({ quota: { limit: 1, refill: null } })
    const token = await derive(credential)
    await changeKey(issuing.scope, id, { disabled: true })
    expect(await verify(token)).toMatchObject({ code: 'disabled' })
    await changeKey(issuing.scope, id, { disabled: false })
    expect(await verify(token)).toMatchObject({ ok: true })
    expect(await verify(token)).toMatchObject({ code: 'quota_exceeded' })
  })

  test('keeps them when the key is revoked and its tokens are spared', async () => {
    const { id, credential } = await makeKey({ quota: { limit: 1, refill: null } })
    const token = await derive(credential)
    await revokeKey(issuing.scope, id, { keepIssued: true })
    const other = await openOther()
    expect(await other.verify({ credential: token })).toMatchObject({ ok: true })
    expect(await other.verify({ credential: token })).toMatchObject({ code: 'quota_exceeded' })
    other.close()
  })

  test('has verifiers told once, with one entry of the audit', async () => {
    const { id, credential } = await makeKey({ quota: QUOTA_OF_5 })
    await derive(credential)
    const head = await readHead(installation.reader, 'default')
    await Promise.all([derive(credential), derive(credential)])
    expect(await readHead(installation.reader, 'default')).toEqual(head)
    const entries = await installation.reader
      .selectFrom('audit')
      .select('action')
      .where('target', '=', id)
      .execute()
    expect(entries.map(({ action }) => action)).toEqual(['key.create', 'key.issue'])
  })
})

describe('the limits of a subject', () => {
  test('Q1, R6: count for its keys and tokens together: more keys give nothing more', async () => {
    await putSubject(issuing.scope, 'acme', { quota: { limit: 4, refill: null } })
    const first = await makeKey({ subject: 'acme', limits: [perMinute(2)] })
    const second = await makeKey({ subject: 'acme' })
    const token = await mintToken(issuing.scope, { subject: 'acme', audience: AUDIENCE })
    const parts = [first.credential, second.credential, token.credential]
    for (const credential of parts) expect(await verify(credential)).toMatchObject({ ok: true })
    expect(await verify(first.credential)).toMatchObject({
      ok: true,
      limits: [
        { of: 'key', name: 'per-minute', remaining: 0 },
        { of: 'subject', name: 'quota', remaining: 0 },
      ],
    })
    const third = await makeKey({ subject: 'acme' })
    for (const credential of [...parts, third.credential]) {
      expect(await verify(credential)).toMatchObject({ ok: false, status: 429 })
    }
  })

  test('Q1: neither deleting its record and making it anew nor a patch gives anything back', async () => {
    const limits = { limits: [perMinute(5)], quota: { limit: 5, refill: 'monthly' } }
    await putSubject(issuing.scope, 'again', limits)
    const { credential } = await makeKey({ subject: 'again' })
    await verify(credential, 5)
    await deleteSubject(issuing.scope, 'again')
    expect(await verify(credential)).toMatchObject({ ok: true })
    await putSubject(issuing.scope, 'again', limits)
    expect(await verify(credential)).toMatchObject({ ok: false, code: 'rate_limited' })
    await patchSubject(issuing.scope, 'again', { limits: null })
    expect(await verify(credential)).toMatchObject({ ok: false, code: 'quota_exceeded' })
  })

  test('M3: loosening them needs grants that cover its bound', async () => {
    await putSubject(issuing.scope, 'bounded', { quota: { limit: 5, refill: null } })
    const { id } = await createManagementKey(issuing.scope, {
      name: 'narrow',
      project: 'default',
      verbs: ['subjects:write'],
    })
    const caller = issuing.as(managementKey(id))
    await patchSubject(caller, 'bounded', { quota: { limit: 4, refill: null } })
    expect(await codeOf(patchSubject(caller, 'bounded', { quota: { limit: 5, refill: null } }))).toBe(
      'exceeds_grants',
    )
    expect(await codeOf(deleteSubject(caller, 'bounded'))).toBe('exceeds_grants')
  })
})

describe('what is counted', () => {
  test('Q2: a crash forfeits the rest of a block, and nothing is granted twice', async () => {
    const { credential } = await makeKey({ quota: { limit: 1000, refill: null } })
    let spent = 0
    let left = 1000
    for (let crash = 0; crash < 5; crash++) {
      // A process that ends without giving anything back leaves just this: its counters are gone.
      const limits = new LimitCounters(installation.writer)
      const source = new DatabaseSource({ ...installation, limits }, 'default')
      const verifier = await Verifier.open({ source, audience: AUDIENCE })
      for (let call = 0; call < 7; call++) {
        const verdict = await verifier.verify({ credential })
        expect(verdict.ok).toBe(true)
        spent++
        left = verdict.limits?.[0]?.remaining ?? Number.NaN
      }
      verifier.close()
    }
    expect(left).toBeLessThanOrEqual(1000 - spent)
    expect(left).toBeGreaterThan(1000 - spent - 5 * 22)
  })

  test('Q2: an orderly end gives the rest of a block back', async () => {
    const { credential } = await makeKey({ quota: { limit: 1000, refill: null } })
    for (let end = 1; end <= 3; end++) {
      const limits = new LimitCounters(installation.writer)
      const source = new DatabaseSource({ ...installation, limits }, 'default')
      const verifier = await Verifier.open({ source, audience: AUDIENCE })
      expect(await verifier.verify({ credential })).toMatchObject({ limits: [{ remaining: 1000 - end }] })
      verifier.close()
      await limits.close()
    }
  })

  test('Q1: is shared by all verifiers of the process', async () => {
    const { credential } = await makeKey({ limits: [perMinute(1)], quota: { limit: 10, refill: null } })
    const source = new DatabaseSource(installation, 'default')
    const other = await Verifier.open({ source, audience: AUDIENCE })
    expect(await other.verify({ credential })).toMatchObject({ ok: true })
    expect(await verify(credential)).toMatchObject({ ok: false, code: 'rate_limited' })
    other.close()
  })

  test('C6: takes no position and leaves no audit entry', async () => {
    const { credential } = await makeKey({ quota: { limit: 100, refill: 'daily' } })
    const head = await readHead(installation.reader, 'default')
    const entries = () => installation.reader.selectFrom('audit').select('sequence').execute()
    const { length } = await entries()
    for (let call = 0; call < 10; call++) await verify(credential)
    expect(await readHead(installation.reader, 'default')).toEqual(head)
    expect(await entries()).toHaveLength(length)
  })

  test('a clock that goes back grants nothing a second time, and nobody waits longer than a short window', async () => {
    const { credential } = await makeKey({ limits: [perMinute(2)] })
    const long = await makeKey({ limits: [perHour(2)], quota: { limit: 2, refill: 'daily' } })
    const nowMs = installation.clock.nowMs()
    for (const text of [credential, long.credential]) await verify(text, 2)
    for (const back of [1_000, 3_600_000, 2 * 86_400_000]) {
      installation.clock.set(nowMs - back)
      expect(await verify(credential)).toMatchObject({ ok: false, code: 'rate_limited' })
      expect(await verify(long.credential)).toMatchObject({ ok: false })
    }
    installation.clock.advance(60_000)
    expect(await verify(credential)).toMatchObject({ ok: true })
    installation.clock.set(nowMs)
    expect(await verify(long.credential)).toMatchObject({ ok: false })
  })

  test.each([
    ['hourly', '2028-02-29T23:10:00Z', '2028-02-29T23:59:59.999Z', 3000],
    ['daily', '2028-12-31T23:10:00Z', '2028-12-31T23:59:59.999Z', 3000],
    ['monthly', '2032-02-03T00:00:00Z', '2032-02-29T23:59:59.999Z', 27 * 86_400],
  ])('a quota that is refilled %s is full again with the UTC calendar', async (refill, from, until, wait) => {
    installation.clock.set(Date.parse(from))
    const { credential } = await makeKey({ quota: { limit: 1, refill } })
    expect(await verify(credential)).toMatchObject({ ok: true, limits: [{ resetSeconds: wait }] })
    installation.clock.set(Date.parse(until))
    expect(await verify(credential)).toMatchObject({ ok: false, retryAfterSeconds: 1 })
    installation.clock.advance(1)
    expect(await verify(credential)).toMatchObject({ ok: true })
  })

  test('is not granted when it cannot be stored (fails closed)', async () => {
    const { credential } = await makeKey({ quota: { limit: 10, refill: null } })
    const limits = new LimitCounters({ run: () => Promise.reject(new Error('the disk is full')) })
    const source = new DatabaseSource({ ...installation, limits }, 'default')
    const verifier = await Verifier.open({ source, audience: AUDIENCE })
    expect(await verifier.verify({ credential })).toMatchObject({ ok: false, code: 'unavailable' })
    expect(verifier.verifyCached({ credential })).toBeUndefined()
    verifier.close()
  })
})
