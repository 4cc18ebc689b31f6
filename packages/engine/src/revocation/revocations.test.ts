import type { Verdict } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from '../../test/issuing.ts'
import { createKey } from '../keys/create-key.ts'
import { readKey } from '../keys/read-key.ts'
import { rotateKey } from '../keys/rotate-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { readManagementKey } from '../management/read-management-key.ts'
import { createProject } from '../projects/create-project.ts'
import { putSubject } from '../subjects/put-subject.ts'
import type { MintTokenInput } from '../tokens/mint-input.ts'
import { mintToken } from '../tokens/mint-token.ts'
import { createRevocation } from './create-revocation.ts'
import { liftBan } from './lift-ban.ts'
import { listRevocations } from './list-revocations.ts'
import { readReceipt } from './read-receipt.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

let installation: TestInstallation
let issuing: Issuing
let count = 0

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
})
afterAll(() => installation.close())

/** A subject that no other test has. */
function newSubject(): string {
  return `subject_${++count}`
}

async function mint(subject: string, rest: Partial<MintTokenInput> = {}): Promise<string> {
  return (await mintToken(issuing.scope, { subject, audience: AUDIENCE, ...rest })).credential
}

async function key(subject: string): Promise<string> {
  return (await createKey(issuing.scope, { name: 'test', subject })).credential
}

/** `ok`, or the code of the refusal. */
async function outcome(credential: string): Promise<string> {
  const verdict: Verdict = await issuing.verifier.verify({ credential })
  return verdict.ok ? 'ok' : verdict.code
}

async function outcomes(...credentials: string[]): Promise<string[]> {
  return Promise.all(credentials.map(outcome))
}

function revoke(input: unknown) {
  return createRevocation(issuing.scope, input)
}

describe('a revocation', () => {
  test('of all so far of a subject kills what was issued before, of both kinds, and spares what comes after (V1, V2)', async () => {
    const subject = newSubject()
    const old = [await mint(subject), await key(subject)]
    const other = await mint(newSubject())
    expect(await outcomes(...old)).toEqual(['ok', 'ok'])
    const receipt = await revoke({ subject, reason: 'laptop stolen' })
    expect(receipt).toMatchObject({ effective: true, verifiers: [] })
    expect(await outcomes(...old, other)).toEqual(['revoked', 'revoked', 'ok'])
    // In the same millisecond: positions decide, not seconds.
    expect(await outcomes(await mint(subject), await key(subject))).toEqual(['ok', 'ok'])
  })

  test.each([
    ['keys', ['ok', 'revoked']],
    ['tokens', ['revoked', 'ok']],
  ] as const)('of only %s spares the others (V1)', async (only, expected) => {
    const subject = newSubject()
    const old = [await mint(subject), await key(subject)]
    await revoke({ subject, only })
    expect(await outcomes(...old)).toEqual(expected)
  })

  test('with issuedBefore spares what was issued later, and what it cannot tell it kills (V3)', async () => {
    const subject = newSubject()
    const first = [await mint(subject), await key(subject)]
    installation.clock.advance(10 * MINUTE_MS - 1000)
    const limit = installation.clock.nowMs()
    // Its `iat` counts whole seconds: it may have been issued before the limit.
    const doubtful = await mint(subject)
    installation.clock.advance(2000)
    const later = [await mint(subject), await key(subject)]
    await revoke({ subject, issuedBefore: new Date(limit).toISOString() })
    expect(await outcome(first[1] ?? '')).toBe('revoked')
    expect(await outcome(doubtful)).toBe('revoked')
    expect(await outcomes(...later)).toEqual(['ok', 'ok'])
  })

  test('of a token by its id, by its text, and twice, kills that one (V1)', async () => {
    const subject = newSubject()
    const byText = await mint(subject)
    const spared = await mint(subject)
    const { id, credential: byId } = await mintToken(issuing.scope, { subject, audience: AUDIENCE })
    await revoke({ tokenId: id })
    const first = await revoke({ credential: byText })
    const again = await revoke({ credential: byText })
    expect(again.id).not.toBe(first.id)
    expect(again.effective).toBe(true)
    expect(await outcomes(byId, byText, spared)).toEqual(['revoked', 'revoked', 'ok'])
  })

  test('of a token by its text lasts a day longer than the token, by its id as long as any token could (V7)', async () => {
    const token = await mintToken(issuing.scope, {
      subject: newSubject(),
      audience: AUDIENCE,
      ttlSeconds: 60,
    })
    const nowMs = installation.clock.nowMs()
    const untilMs = async ({ id }: { id: string }) =>
      (
        await installation.reader
          .selectFrom('revocations')
          .select('tokens_until_ms')
          .where('id', '=', id)
          .executeTakeFirstOrThrow()
      ).tokens_until_ms
    const seconds = Math.floor(nowMs / 1000) * 1000
    expect(await untilMs(await revoke({ credential: token.credential }))).toBe(seconds + 60_000 + DAY_MS)
    expect(await untilMs(await revoke({ tokenId: token.id }))).toBe(nowMs + 2 * DAY_MS)
  })

  test('of a client kills the tokens that name it', async () => {
    const manager = await createManagementKey(issuing.scope, { name: 'backend', preset: 'backend' })
    const { credential } = await mintToken(issuing.as(managementKey(manager.id)), {
      subject: newSubject(),
      audience: AUDIENCE,
    })
    const embedded = await mint(newSubject())
    await revoke({ clientId: manager.id })
    expect(await outcomes(credential, embedded)).toEqual(['revoked', 'ok'])
  })

  test('of everything kills all so far of the project, and of no other', async () => {
    await createProject(issuing.scope, { name: 'spared', algorithm: 'Ed25519' })
    const spared = await openIssuing(installation, 'spared')
    const there = await mintToken(spared.scope, { subject: 'a', audience: AUDIENCE })
    const here = [await mint(newSubject()), await key(newSubject())]
    await revoke({ everything: true })
    expect(await outcomes(...here)).toEqual(['revoked', 'revoked'])
    expect(await outcome(await mint(newSubject()))).toBe('ok')
    expect(await spared.verifier.verify({ credential: there.credential })).toMatchObject({ ok: true })
  })

  test('counts at the next request, in the cache that answered the last one', async () => {
    const subject = newSubject()
    const credentials = [await mint(subject), await key(subject)]
    for (const credential of credentials) {
      await issuing.verifier.verify({ credential })
      expect(issuing.verifier.verifyCached({ credential })).toMatchObject({ ok: true })
    }
    await revoke({ subject })
    for (const credential of credentials) {
      expect(issuing.verifier.verifyCached({ credential })).toMatchObject({ ok: false, code: 'revoked' })
    }
  })
})

describe('a revocation by the text of a key', () => {
  test('ends the key when the text is the current one, and what was issued to it (V5, V6)', async () => {
    const created = await createKey(issuing.scope, { name: 'current' })
    await revoke({ credential: created.credential, reason: 'found in a log' })
    expect(await outcome(created.credential)).toBe('revoked')
    expect(await readKey(issuing.scope, created.id)).toMatchObject({ status: 'revoked' })
    expect(await codeOf(rotateKey(issuing.scope, created.id))).toBe('revoked')
  })

  test('ends only the text when it is a superseded one (V6)', async () => {
    const created = await createKey(issuing.scope, { name: 'rotated' })
    const second = await rotateKey(issuing.scope, created.id)
    const third = await rotateKey(issuing.scope, created.id)
    const texts = [created.credential, second.credential, third.credential]
    expect(await outcomes(...texts)).toEqual(['ok', 'ok', 'ok'])
    const receipt = await revoke({ credential: created.credential })
    expect(receipt).toMatchObject({ effective: true, position: expect.stringContaining(':') })
    expect(await outcomes(...texts)).toEqual(['revoked', 'ok', 'ok'])
    expect(await readReceipt(issuing.scope, receipt.id)).toEqual(receipt)
    const { items } = await listRevocations(issuing.scope, { kind: 'secret' })
    expect(items).toHaveLength(1)
    // Twice is no more, and the current text still ends the key.
    await revoke({ credential: created.credential })
    expect(await outcomes(...texts)).toEqual(['revoked', 'ok', 'ok'])
    await revoke({ credential: third.credential })
    expect(await outcomes(...texts)).toEqual(['revoked', 'revoked', 'revoked'])
  })

  test('or by its id spares what was issued to it when asked to (V5)', async () => {
    const created = await createKey(issuing.scope, { name: 'kept' })
    await revoke({ keyId: created.id, keepIssued: true })
    const rules = async () => (await listRevocations(issuing.scope, { target: created.id })).items
    expect((await rules()).map(({ kind }) => kind)).toEqual(['key'])
    await revoke({ keyId: created.id })
    expect((await rules()).map(({ kind }) => kind).sort()).toEqual(['client', 'key', 'key'])
  })

  test('ends a management key that the caller sees, whatever the caller may do with it otherwise (M2)', async () => {
    const caller = await createManagementKey(issuing.scope, { name: 'caller', preset: 'backend' })
    const leaked = await createManagementKey(issuing.scope, { name: 'leaked', preset: 'backend' })
    const scope = issuing.as(managementKey(caller.id))
    const receipt = await createRevocation(scope, { credential: leaked.credential })
    expect(await readReceipt(scope, receipt.id)).toEqual(receipt)
    expect(await readManagementKey(issuing.scope, leaked.id)).toMatchObject({ status: 'revoked' })
    // Not by its id: that needs the verb for management keys.
    expect(await codeOf(createRevocation(scope, { keyId: caller.id }))).toBe('not_found')
    expect(await codeOf(createRevocation(scope, { credential: installation.rootKey.reveal() }))).toBe(
      'not_found',
    )
  })

  test('of another project is none of this one', async () => {
    await createProject(issuing.scope, { name: 'foreign', algorithm: 'Ed25519' })
    const foreign = await openIssuing(installation, 'foreign')
    const { id, credential } = await createKey(foreign.scope, { name: 'theirs' })
    expect(await codeOf(revoke({ credential }))).toBe('not_found')
    expect(await codeOf(revoke({ keyId: id }))).toBe('not_found')
    expect(await foreign.verifier.verify({ credential })).toMatchObject({ ok: true })
  })
})

describe('a ban', () => {
  test('kills what is issued later too, until it is lifted; the lift leaves all so far dead (V1)', async () => {
    const subject = newSubject()
    const before = [await mint(subject), await key(subject)]
    const { id } = await revoke({ subject, ban: true })
    const during = [await mint(subject), await key(subject)]
    expect(await outcomes(...before, ...during)).toEqual(['revoked', 'revoked', 'revoked', 'revoked'])
    installation.clock.advance(1)
    const left = await liftBan(issuing.scope, id)
    expect(await outcomes(...before, ...during)).toEqual(['revoked', 'revoked', 'revoked', 'revoked'])
    expect(await outcomes(await mint(subject), await key(subject))).toEqual(['ok', 'ok'])
    const { items } = await listRevocations(issuing.scope, { target: subject })
    expect(items).toMatchObject([
      { id: left.id, ban: false, liftedAt: null, reason: 'ban lifted' },
      { id, ban: true, liftedAt: expect.any(String) },
    ])
  })

  test('of only tokens leaves keys alone, and so does its lift', async () => {
    const subject = newSubject()
    const text = await key(subject)
    const { id } = await revoke({ subject, ban: true, only: 'tokens' })
    expect(await outcomes(text, await mint(subject))).toEqual(['ok', 'revoked'])
    await liftBan(issuing.scope, id)
    expect(await outcomes(text, await mint(subject))).toEqual(['ok', 'ok'])
  })

  test('means the same to a verifier that starts after the lift (V7)', async () => {
    const subject = newSubject()
    const { id } = await revoke({ subject, ban: true })
    const during = [await mint(subject), await key(subject)]
    await liftBan(issuing.scope, id)
    const later = await openIssuing(installation)
    for (const credential of during) {
      expect(await later.verifier.verify({ credential })).toMatchObject({ ok: false, code: 'revoked' })
    }
    const credential = await mint(subject)
    expect(await later.verifier.verify({ credential })).toMatchObject({ ok: true })
  })

  test('is lifted once, and nothing else is lifted at all (V1)', async () => {
    const { id } = await revoke({ subject: newSubject(), ban: true })
    await liftBan(issuing.scope, id)
    expect(await codeOf(liftBan(issuing.scope, id))).toBe('not_found')
    const plain = await revoke({ subject: newSubject() })
    expect(await codeOf(liftBan(issuing.scope, plain.id))).toBe('invalid_request')
    expect(await codeOf(liftBan(issuing.scope, 'rev_unknown'))).toBe('not_found')
  })

  test('is lifted by who may hand out what remains possible: the bound of the subject, or everything (M3)', async () => {
    const grants = ['documents:*']
    const narrow = await createManagementKey(issuing.scope, { name: 'narrow', preset: 'backend', grants })
    const scope = issuing.as(managementKey(narrow.id))
    const unbounded = newSubject()
    const bounded = newSubject()
    await putSubject(issuing.scope, bounded, { permissions: ['documents:read'] })
    const ban = async (input: object) => (await createRevocation(scope, { ...input, ban: true })).id
    const bans = { unbounded: await ban({ subject: unbounded }), bounded: await ban({ subject: bounded }) }
    expect(await codeOf(liftBan(scope, bans.unbounded))).toBe('exceeds_grants')
    expect(await codeOf(liftBan(scope, await ban({ clientId: 'client_x' })))).toBe('exceeds_grants')
    await liftBan(scope, bans.bounded)
    await liftBan(issuing.scope, bans.unbounded)
  })
})

describe('a revocation is refused', () => {
  test.each([
    ['without a target', {}],
    ['with two targets', { subject: 'a', keyId: 'key_1' }],
    ['with everything: false', { everything: false }],
    ['for a foreign issuer', { subject: 'a', issuer: 'https://idp.example' }],
    ['for a token with only', { tokenId: 'tok_1', only: 'tokens' }],
    ['for a key with ban', { keyId: 'key_1', ban: true }],
    ['for a subject with keepIssued', { subject: 'a', keepIssued: true }],
    ['for a ban with issuedBefore', { subject: 'a', ban: true, issuedBefore: '2027-01-01T00:00:00Z' }],
    ['with issuedBefore in the future', { subject: 'a', issuedBefore: '2099-01-01T00:00:00Z' }],
    ['with issuedBefore that is no time', { subject: 'a', issuedBefore: 'yesterday' }],
    ['with only that is neither', { subject: 'a', only: 'sessions' }],
    ['for a text that is neither key nor token', { credential: 'hunter2' }],
    ['for an empty text', { credential: '' }],
  ])('%s', async (_, input) => {
    expect(await codeOf(revoke(input))).toBe('invalid_request')
  })

  test('for a key whose checksum does not fit, and repeats nothing of it', async () => {
    const text = await key(newSubject())
    const wrong = `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`
    const error = await revoke({ credential: wrong }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('checksum') })
    expect(String(error)).not.toContain(wrong.slice(-20))
  })

  test('for a token with another signature: nobody ends what he only knows the name of', async () => {
    const token = await mint(newSubject())
    const [header, payload] = token.split('.')
    expect(await codeOf(revoke({ credential: `${header}.${payload}.${'A'.repeat(342)}` }))).toBe(
      'invalid_request',
    )
    expect(await outcome(token)).toBe('ok')
  })

  test('without the verb, and before the input is looked at (M5, M6)', async () => {
    const auditor = await createManagementKey(issuing.scope, { name: 'auditor', preset: 'auditor' })
    const scope = issuing.as(managementKey(auditor.id))
    expect(await codeOf(createRevocation(scope, { nonsense: 1 }))).toBe('forbidden')
    expect((await listRevocations(scope)).items.length).toBeGreaterThan(0)
    const { id } = await revoke({ subject: newSubject(), ban: true })
    expect(await codeOf(liftBan(scope, id))).toBe('forbidden')
    const gateway = await createManagementKey(issuing.scope, { name: 'gateway', preset: 'gateway' })
    const blind = issuing.as(managementKey(gateway.id))
    expect(await codeOf(listRevocations(blind))).toBe('forbidden')
    expect(await codeOf(readReceipt(blind, id))).toBe('forbidden')
  })

  test('in the project of the management keys, whose tokens elsewhere it would spare (V5)', async () => {
    const scope = { ...issuing.scope, projectId: 'claviger', project: 'claviger' }
    expect(await codeOf(createRevocation(scope, { everything: true }))).toBe('invalid_request')
  })
})

describe('the record of revocations', () => {
  test('needs no grants to add to, and says who took what away, without a secret (M3)', async () => {
    const bare = await createManagementKey(issuing.scope, { name: 'bare', verbs: ['revocations:write'] })
    const created = await createKey(issuing.scope, { name: 'audited', permissions: ['*:*'] })
    await createRevocation(issuing.as(managementKey(bare.id)), {
      credential: created.credential,
      reason: 'leak',
    })
    const rows = await installation.reader
      .selectFrom('audit')
      .selectAll()
      .where('actor', '=', bare.id)
      .execute()
    expect(rows).toMatchObject([{ action: 'key.revoke', target: created.id, project_id: 'default' }])
    expect(JSON.parse(rows[0]?.detail ?? '')).toMatchObject({ reason: 'leak', keepIssued: false })
    const everything = JSON.stringify(await installation.reader.selectFrom('audit').selectAll().execute())
    expect(everything).not.toContain(created.credential.slice(-36))
  })

  test('is listed, the newest first, page by page, and by kind', async () => {
    const subject = newSubject()
    for (let i = 0; i < 3; i++) await revoke({ subject, reason: String(i) })
    const first = await listRevocations(issuing.scope, { target: subject, limit: 2 })
    expect(first.items.map(({ reason }) => reason)).toHaveLength(2)
    const second = await listRevocations(issuing.scope, {
      target: subject,
      limit: 2,
      cursor: first.nextCursor ?? '',
    })
    const reasons = [...first.items, ...second.items].map(({ reason }) => reason)
    expect([...reasons].sort()).toEqual(['0', '1', '2'])
    expect(second.nextCursor).toBeNull()
    expect((await listRevocations(issuing.scope, { target: subject, kind: 'client' })).items).toEqual([])
  })

  test('orders rules of different times by their ids, which the commands give them (C1)', async () => {
    const subject = newSubject()
    const ids: string[] = []
    for (let i = 0; i < 3; i++) {
      installation.clock.advance(1)
      ids.push((await revoke({ subject })).id)
    }
    expect([...ids].sort()).toEqual(ids)
    for (const id of ids) expect(id).toMatch(/^rev_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/)
    installation.clock.advance(HOUR_MS)
  })
})
