import { parseToken, type Verdict } from '@claviger/verify'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeOf, openTestInstallation, START_MS, type TestInstallation } from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from '../../test/issuing.ts'
import { listAuditEntries } from '../audit/list-entries.ts'
import type { Actor } from '../commands/command.ts'
import { changeManagementKey } from '../management/change-management-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { revokeManagementKey } from '../management/revoke-management-key.ts'
import { createProject } from '../projects/create-project.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { liftBan } from '../revocation/lift-ban.ts'
import { listRevocations } from '../revocation/list-revocations.ts'
import { putRole } from '../roles/put-role.ts'
import { putSubject } from '../subjects/put-subject.ts'
import { type CreateSessionInput, createSession } from './create-session.ts'
import { listSessions } from './list-sessions.ts'
import { readSession } from './read-session.ts'
import { refreshSession } from './refresh-session.ts'
import { revokeSession } from './revoke-session.ts'
import type { SessionTokens } from './session-tokens.ts'

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

let installation: TestInstallation
let issuing: Issuing
let subjects = 0
let nowMs = START_MS

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
  await putRole(issuing.scope, 'reader', { permissions: ['documents:read'] })
  await putRole(issuing.scope, 'writer', { permissions: ['documents:write'] })
})
afterAll(() => installation.close())

/** No test before has seen this time: the clock that one leaves behind does not reach another. */
beforeEach(() => {
  nowMs += 1000 * DAY_MS
  installation.clock.set(nowMs)
})

function newSubject(): string {
  return `user_${++subjects}`
}

async function begin(
  subject: string,
  rest: Partial<CreateSessionInput> = {},
  actor?: Actor,
): Promise<SessionTokens> {
  const scope = actor === undefined ? issuing.scope : issuing.as(actor)
  return createSession(scope, { subject, audience: AUDIENCE, ...rest })
}

function refresh({ refreshToken }: { refreshToken: string }, actor?: Actor): Promise<SessionTokens> {
  return refreshSession(actor === undefined ? issuing.scope : issuing.as(actor), { refreshToken })
}

async function verdictOn({ accessToken }: SessionTokens): Promise<Verdict> {
  return issuing.verifier.verify({ credential: accessToken })
}

async function outcome(tokens: SessionTokens): Promise<string> {
  const verdict = await verdictOn(tokens)
  return verdict.ok ? 'ok' : verdict.code
}

async function stateOf({ id }: SessionTokens): Promise<string> {
  return (await readSession(issuing.scope, id)).state
}

function claimsOf({ accessToken }: SessionTokens): Record<string, unknown> {
  const token = parseToken(accessToken)
  if ('fault' in token) throw new Error(token.fault)
  return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
}

async function actor(input: Record<string, unknown>): Promise<Actor & { keyId: string }> {
  const { id } = await createManagementKey(issuing.scope, { name: 'backend', ...input })
  return { kind: 'management-key', keyId: id }
}

describe('a session', () => {
  test('begins with an access token that names it, and a refresh token that is no key', async () => {
    const subject = newSubject()
    const tokens = await begin(subject, {
      roles: ['reader'],
      claims: { plan: 'gold' },
      device: 'Firefox on Linux',
      ip: '2001:db8::1',
    })
    expect(tokens.id).toMatch(/^ses_[0-9a-f]{32}$/)
    expect(tokens.refreshToken).toMatch(/^ck_rt_[0-9A-Za-z]{44}$/)
    expect(tokens.expiresAt).toBe(new Date(nowMs + 600 * SECOND_MS).toISOString())
    expect(tokens.refreshExpiresAt).toBe(new Date(nowMs + 7 * DAY_MS).toISOString())
    expect(claimsOf(tokens)).toMatchObject({
      sub: subject,
      sid: tokens.id,
      client_id: 'embedded',
      roles: ['reader'],
      plan: 'gold',
    })
    expect(await verdictOn(tokens)).toMatchObject({
      ok: true,
      sessionId: tokens.id,
      permissions: ['documents:read'],
    })
    expect(await issuing.verifier.verify({ credential: tokens.refreshToken })).toMatchObject({
      ok: false,
      code: 'unknown',
      detail: expect.stringContaining('refresh token'),
    })
    expect(await readSession(issuing.scope, tokens.id)).toEqual({
      id: tokens.id,
      subject,
      audience: AUDIENCE,
      clientId: 'embedded',
      state: 'active',
      roles: ['reader'],
      permissions: [],
      scopes: null,
      device: 'Firefox on Linux',
      ip: '2001:db8::1',
      createdAt: new Date(nowMs).toISOString(),
      refreshedAt: new Date(nowMs).toISOString(),
      refreshExpiresAt: tokens.refreshExpiresAt,
      expiresAt: new Date(nowMs + 30 * DAY_MS).toISOString(),
      endedAt: null,
      endReason: null,
    })
  })

  test('goes on with each refresh, under the same id and with another token, and remembers where it is used', async () => {
    const first = await begin(newSubject(), { device: 'Firefox' })
    installation.clock.advance(HOUR_MS)
    const second = await refreshSession(issuing.scope, {
      refreshToken: first.refreshToken,
      ip: '192.0.2.7',
    })
    expect(second.id).toBe(first.id)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(second.refreshToken).toMatch(/^ck_rt_[0-9A-Za-z]{44}$/)
    expect(await outcome(second)).toBe('ok')
    expect(await readSession(issuing.scope, first.id)).toMatchObject({
      device: 'Firefox',
      ip: '192.0.2.7',
      refreshedAt: new Date(nowMs + HOUR_MS).toISOString(),
      refreshExpiresAt: new Date(nowMs + HOUR_MS + 7 * DAY_MS).toISOString(),
    })
  })

  test('keeps digests alone: no text of a refresh token is in the database', async () => {
    const first = await begin(newSubject())
    const second = await refresh(first)
    const rows = await installation.reader.selectFrom('refresh_tokens').selectAll().execute()
    const commands = await installation.reader.selectFrom('commands').selectAll().execute()
    const audit = await installation.reader.selectFrom('audit').selectAll().execute()
    const stored = JSON.stringify([rows, commands, audit])
    for (const { refreshToken, accessToken } of [first, second]) {
      expect(stored).not.toContain(refreshToken.slice(6, 30))
      expect(stored).not.toContain(accessToken)
    }
  })

  test('is a choice of nobody: neither its id nor its refresh token is taken from a caller', async () => {
    for (const chosen of [
      { id: 'ses_1' },
      { sessionId: 'ses_1' },
      { refreshToken: 'x' },
      { claims: { sid: 'x' } },
    ]) {
      expect(await codeOf(begin(newSubject(), chosen as never))).toBe('invalid_request')
    }
    const { refreshToken } = await begin(newSubject())
    const forged = installation.refreshTokens.first('ck')
    expect(await codeOf(refresh({ refreshToken: forged }))).toBe('session_ended')
    for (const text of [
      `${refreshToken.slice(0, -1)}!`,
      refreshToken.slice(0, -1),
      'x',
      refreshToken.replace('ck_rt', 'ck'),
    ]) {
      expect(await codeOf(refresh({ refreshToken: text }))).toBe('invalid_request')
    }
  })

  test('of another project is not found, and its refresh token is unknown there', async () => {
    await createProject(issuing.scope, { name: 'other' })
    const other = await openIssuing(installation, 'other')
    const tokens = await begin(newSubject())
    expect(await codeOf(refreshSession(other.scope, { refreshToken: tokens.refreshToken }))).toBe(
      'session_ended',
    )
    expect(await codeOf(readSession(other.scope, tokens.id))).toBe('not_found')
    expect(await codeOf(revokeSession(other.scope, tokens.id))).toBe('not_found')
    expect(await codeOf(createRevocation(other.scope, { credential: tokens.refreshToken }))).toBe('not_found')
    expect((await listSessions(other.scope)).items).toEqual([])
    expect(await outcome(await refresh(tokens))).toBe('ok')
  })

  test('with a token that no verifier would read is not begun', async () => {
    const subject = newSubject()
    const claims = { text: 'x'.repeat(9000) }
    expect(await codeOf(begin(subject, { claims }))).toBe('invalid_request')
    expect((await listSessions(issuing.scope, { subject })).items).toEqual([])
  })

  test('is listed by subject and state, the newest first', async () => {
    const subject = newSubject()
    const ended = await begin(subject)
    installation.clock.advance(1)
    const active = await begin(subject)
    await revokeSession(issuing.scope, ended.id, { reason: 'logged out' })
    const list = async (filters: object) =>
      (await listSessions(issuing.scope, { subject, ...filters })).items.map(({ id }) => id)
    expect(await list({})).toEqual([active.id, ended.id])
    expect(await list({ state: 'active' })).toEqual([active.id])
    expect(await list({ state: 'ended' })).toEqual([ended.id])
    const page = await listSessions(issuing.scope, { subject, limit: 1 })
    expect(page.items.map(({ id }) => id)).toEqual([active.id])
    expect(await list({ limit: 1, cursor: page.nextCursor })).toEqual([ended.id])
    installation.clock.advance(8 * DAY_MS)
    expect(await list({ state: 'expired' })).toEqual([active.id])
    await putSubject(issuing.scope, subject, { disabled: true })
    expect(await list({ state: 'suspended' })).toEqual([active.id])
  })
})

describe('S1: a refresh token that is used again', () => {
  test('within the grace brings the very same successor, as long as that is unused', async () => {
    const first = await begin(newSubject())
    const second = await refresh(first)
    installation.clock.advance(30 * SECOND_MS)
    const again = await refresh(first)
    expect(again.refreshToken).toBe(second.refreshToken)
    expect(again.refreshExpiresAt).toBe(second.refreshExpiresAt)
    expect(await Promise.all([second, again].map(outcome))).toEqual(['ok', 'ok'])
    expect(await outcome(await refresh(second))).toBe('ok')
  })

  test('after the grace ends the session and all that was issued in it', async () => {
    const first = await begin(newSubject(), { roles: ['reader'] })
    const other = await begin(newSubject())
    const second = await refresh(first)
    installation.clock.advance(30 * SECOND_MS + 1)
    expect(await codeOf(refresh(first))).toBe('refresh_token_reused')
    expect(await Promise.all([first, second, other].map(outcome))).toEqual(['revoked', 'revoked', 'ok'])
    expect(await codeOf(refresh(second))).toBe('session_ended')
    expect(await codeOf(refresh(first))).toBe('session_ended')
    expect(await readSession(issuing.scope, first.id)).toMatchObject({
      state: 'ended',
      endReason: 'refresh token reused',
    })
    const [entry] = (await listAuditEntries(issuing.scope, { limit: 200 })).items.filter(
      ({ action, target }) => action === 'session.reuse' && target === first.id,
    )
    expect(entry).toBeDefined()
  })

  test('within the grace, but after its successor was used, ends the session', async () => {
    const first = await begin(newSubject())
    const third = await refresh(await refresh(first))
    expect(await codeOf(refresh(first))).toBe('refresh_token_reused')
    expect(await outcome(third)).toBe('revoked')
  })

  test('is found out even while its subject is disabled, and after the session has expired', async () => {
    for (const [what, prepare] of [
      ['disabled', (subject: string) => putSubject(issuing.scope, subject, { disabled: true })],
      ['expired', async () => installation.clock.advance(9 * DAY_MS)],
    ] as const) {
      const subject = newSubject()
      const first = await begin(subject)
      await refresh(await refresh(first))
      await prepare(subject)
      expect(await codeOf(refresh(first)), what).toBe('refresh_token_reused')
      expect(await stateOf(first)).toBe('ended')
    }
  })

  test('cannot be made up: a successor is known to nobody without the key of the project', async () => {
    const { refreshTokens } = installation
    const first = refreshTokens.first('ck')
    expect(refreshTokens.successor('default', first)).toBe(refreshTokens.successor('default', first))
    expect(refreshTokens.successor('default', first)).not.toBe(refreshTokens.successor('other', first))
    const foreign = await openTestInstallation()
    expect(foreign.refreshTokens.successor('default', first)).not.toBe(
      refreshTokens.successor('default', first),
    )
    await foreign.close()
  })
})

describe('S2: one authority decides', () => {
  test('50 refreshes of one token at once get one successor, and 50 access tokens that pass', async () => {
    const first = await begin(newSubject())
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(first)))
    expect(new Set(answers.map(({ refreshToken }) => refreshToken)).size).toBe(1)
    expect(new Set(answers.map(({ accessToken }) => accessToken)).size).toBe(50)
    expect(new Set(await Promise.all(answers.map(outcome)))).toEqual(new Set(['ok']))
    const rows = await installation.reader
      .selectFrom('refresh_tokens')
      .selectAll()
      .where('session_id', '=', first.id)
      .execute()
    expect(rows).toHaveLength(2)
  })
})

describe('the life of a session', () => {
  test('is bounded by idleness, which a refresh puts off, and by its end, which nothing puts off', async () => {
    const limits = { ttlSeconds: 3000, idleSeconds: 1000, accessTtlSeconds: 900 }
    const first = await begin(newSubject(), limits)
    installation.clock.advance(999 * SECOND_MS)
    const second = await refresh(first)
    installation.clock.advance(999 * SECOND_MS)
    const third = await refresh(second)
    installation.clock.advance(999 * SECOND_MS)
    const last = await refresh(third)
    // R4: what is derived lives no longer than its parent.
    expect(last.expiresAt).toBe(new Date(nowMs + 3000 * SECOND_MS).toISOString())
    expect(last.refreshExpiresAt).toBe(last.expiresAt)
    installation.clock.advance(3 * SECOND_MS)
    expect(await codeOf(refresh(last))).toBe('session_ended')
    expect(await outcome(last)).toBe('expired')

    const idle = await begin(newSubject(), limits)
    installation.clock.advance(1000 * SECOND_MS)
    expect(await codeOf(refresh(idle))).toBe('session_ended')
    expect(await stateOf(idle)).toBe('expired')
  })

  test('is not brought back by a clock that is set back a day, nor is what was reused or ended', async () => {
    const ended = await begin(newSubject())
    const reused = await begin(newSubject())
    const expired = await begin(newSubject(), { idleSeconds: 60 })
    await revokeSession(issuing.scope, ended.id)
    await refresh(await refresh(reused))
    installation.clock.advance(DAY_MS)
    expect(await codeOf(refresh(reused))).toBe('refresh_token_reused')
    // A commit has shown this time.
    installation.clock.set(nowMs - DAY_MS)
    for (const tokens of [ended, reused, expired]) {
      expect(await codeOf(refresh(tokens))).toBe('session_ended')
    }
  })

  test('is not cut short by a clock that is set back: a lost answer can still be had again', async () => {
    const first = await begin(newSubject())
    const second = await refresh(first)
    installation.clock.set(nowMs - DAY_MS)
    expect((await refresh(first)).refreshToken).toBe(second.refreshToken)
    const third = await refresh(second)
    expect(third.refreshToken).not.toBe(second.refreshToken)
    expect(await codeOf(refresh(first))).toBe('refresh_token_reused')
  })

  test('survives a clock that was ahead for a while, unless somebody used it then beyond what the rules allow', async () => {
    const first = await begin(newSubject())
    installation.clock.advance(60 * DAY_MS)
    expect(await codeOf(refresh(first))).toBe('session_ended')
    installation.clock.set(nowMs + SECOND_MS)
    expect(await outcome(await refresh(first))).toBe('ok')
  })
})

describe('V2: a session inherits the position that it was begun at', () => {
  test.each([
    ['its subject', (subject: string) => ({ subject })],
    ['tokens of its subject alone', (subject: string) => ({ subject, only: 'tokens' })],
    ['its client', () => ({ clientId: 'embedded' })],
    ['everything', () => ({ everything: true })],
  ])(
    'and dies with %s, its tokens and its refresh alike, however late it was refreshed',
    async (_what, target) => {
      const subject = newSubject()
      const first = await begin(subject)
      const second = await refresh(first)
      expect(claimsOf(second).pos).toBe(claimsOf(first).pos)
      await createRevocation(issuing.scope, target(subject))
      expect(await Promise.all([first, second].map(outcome))).toEqual(['revoked', 'revoked'])
      expect(await codeOf(refresh(second))).toBe('session_ended')
      expect(await stateOf(first)).toBe('ended')
      // In the same millisecond: positions decide, not seconds.
      const after = await begin(subject)
      expect(await outcome(await refresh(after))).toBe('ok')
    },
  )

  test('and is spared by a rule that concerns keys alone', async () => {
    const subject = newSubject()
    const first = await begin(subject)
    await createRevocation(issuing.scope, { subject, only: 'keys' })
    expect(await outcome(await refresh(first))).toBe('ok')
  })

  test('and by no refresh is saved from a rule with `issuedBefore` that it was begun before (V3)', async () => {
    const subject = newSubject()
    const old = await begin(subject)
    installation.clock.advance(HOUR_MS)
    const issuedBefore = new Date(nowMs + HOUR_MS).toISOString()
    installation.clock.advance(HOUR_MS)
    const refreshed = await refresh(old)
    const young = await begin(subject)
    await createRevocation(issuing.scope, { subject, issuedBefore })
    expect(await Promise.all([old, refreshed, young].map(outcome))).toEqual(['revoked', 'revoked', 'ok'])
    expect(await codeOf(refresh(refreshed))).toBe('session_ended')
    expect(await outcome(await refresh(young))).toBe('ok')
  })

  test('and is not begun under a ban, nor revived when that is lifted (V1)', async () => {
    const subject = newSubject()
    const first = await begin(subject)
    const ban = await createRevocation(issuing.scope, { subject, ban: true })
    expect(await codeOf(begin(subject))).toBe('revoked')
    expect(await codeOf(refresh(first))).toBe('session_ended')
    await liftBan(issuing.scope, ban.id)
    expect(await codeOf(refresh(first))).toBe('session_ended')
    expect(await outcome(await begin(subject))).toBe('ok')
  })
})

describe('V5: the key that began a session', () => {
  test('kills it when it is revoked, and suspends it while it is disabled', async () => {
    const backend = await actor({ preset: 'backend' })
    const tokens = await begin(newSubject(), {}, backend)
    expect(claimsOf(tokens).client_id).toBe(backend.keyId)
    await changeManagementKey(issuing.scope, backend.keyId, { disabled: true })
    expect(await codeOf(refresh(tokens))).toBe('suspended')
    expect(await outcome(tokens)).toBe('disabled')
    expect(await stateOf(tokens)).toBe('suspended')
    await changeManagementKey(issuing.scope, backend.keyId, { disabled: false })
    const refreshed = await refresh(tokens)
    // Another caller refreshed it; it stays the session of the key that began it.
    expect(claimsOf(refreshed).client_id).toBe(backend.keyId)
    await revokeManagementKey(issuing.scope, backend.keyId)
    expect(await outcome(refreshed)).toBe('revoked')
    expect(await codeOf(refresh(refreshed))).toBe('session_ended')
  })

  test('spares it when it is revoked with `keepIssued`', async () => {
    const backend = await actor({ preset: 'backend' })
    const tokens = await begin(newSubject(), {}, backend)
    await revokeManagementKey(issuing.scope, backend.keyId, { keepIssued: true })
    expect(await outcome(await refresh(tokens))).toBe('ok')
  })
})

describe('R6: the record of the subject', () => {
  test('gives its roles, as they are at each refresh, to a session with none of its own', async () => {
    const subject = newSubject()
    await putSubject(issuing.scope, subject, { roles: ['reader'], permissions: ['billing:read'] })
    const first = await begin(subject)
    expect(await verdictOn(first)).toMatchObject({ permissions: ['billing:read', 'documents:read'] })
    expect(await readSession(issuing.scope, first.id)).toMatchObject({ roles: null, permissions: null })
    await putSubject(issuing.scope, subject, { roles: ['reader', 'writer'] })
    const second = await refresh(first)
    expect(await verdictOn(second)).toMatchObject({ permissions: ['documents:read', 'documents:write'] })
    // What was taken away counts at once, what was added with the next refresh.
    expect(await verdictOn(first)).toMatchObject({ permissions: ['documents:read'] })
  })

  test('bounds a session with rights of its own, and adds nothing to it; an empty list is its own', async () => {
    const subject = newSubject()
    await putSubject(issuing.scope, subject, { roles: ['reader', 'writer'] })
    const own = await begin(subject, { roles: ['reader'], permissions: ['billing:read'] })
    expect(await verdictOn(await refresh(own))).toMatchObject({ permissions: ['documents:read'] })
    const none = await begin(subject, { roles: [] })
    expect(await verdictOn(await refresh(none))).toMatchObject({ ok: true, permissions: [] })
  })

  test('gives nothing where it lists nothing, and where there is none', async () => {
    const subject = newSubject()
    expect(await verdictOn(await begin(subject))).toMatchObject({ ok: true, roles: [], permissions: [] })
    await putSubject(issuing.scope, subject, { metadata: { plan: 'gold' } })
    expect(await verdictOn(await begin(subject))).toMatchObject({ ok: true, roles: [], permissions: [] })
  })

  test('that is disabled refuses the refresh and a new session, and ends nothing', async () => {
    const subject = newSubject()
    const tokens = await begin(subject)
    await putSubject(issuing.scope, subject, { disabled: true })
    expect(await codeOf(refresh(tokens))).toBe('suspended')
    expect(await codeOf(begin(subject))).toBe('suspended')
    expect(await outcome(tokens)).toBe('disabled')
    await putSubject(issuing.scope, subject, { disabled: false })
    expect(await outcome(tokens)).toBe('ok')
    expect(await outcome(await refresh(tokens))).toBe('ok')
  })

  test('R2, R4: scopes narrow at each refresh as they did at the first', async () => {
    const tokens = await begin(newSubject(), { roles: ['reader', 'writer'], scopes: ['documents:read'] })
    expect(await verdictOn(await refresh(tokens))).toMatchObject({ permissions: ['documents:read'] })
    const empty = await begin(newSubject(), { roles: ['reader'], scopes: [] })
    expect(await verdictOn(await refresh(empty))).toMatchObject({ ok: true, permissions: [] })
  })
})

describe('M3: a management key hands out no more than its grants', () => {
  test('when it begins a session, by rights of its own, by a role, and by the record of the subject', async () => {
    const subject = newSubject()
    await putSubject(issuing.scope, subject, { roles: ['writer'] })
    const narrow = await actor({ preset: 'backend', grants: ['documents:read'] })
    expect(await codeOf(begin(newSubject(), { permissions: ['documents:write'] }, narrow))).toBe(
      'exceeds_grants',
    )
    expect(await codeOf(begin(newSubject(), { roles: ['writer'] }, narrow))).toBe('exceeds_grants')
    expect(await codeOf(begin(subject, {}, narrow))).toBe('exceeds_grants')
    expect(await outcome(await begin(newSubject(), { roles: ['reader'] }, narrow))).toBe('ok')
    // Scopes that narrow enough are enough.
    const scopes = ['documents:read']
    expect(await outcome(await begin(newSubject(), { permissions: ['documents:*'], scopes }, narrow))).toBe(
      'ok',
    )
  })

  test('when it refreshes one, whose refresh token stays unused then', async () => {
    const narrow = await actor({ preset: 'backend', grants: ['documents:read'] })
    const wide = await begin(newSubject(), { roles: ['writer'] })
    expect(await codeOf(refresh(wide, narrow))).toBe('exceeds_grants')
    installation.clock.advance(HOUR_MS)
    expect(await outcome(await refresh(wide))).toBe('ok')
  })

  test('R5: an unknown role is refused', async () => {
    expect(await codeOf(begin(newSubject(), { roles: ['nobody'] }))).toBe('invalid_request')
  })
})

describe('M6: a management key needs the verb', () => {
  test('sessions:write to begin, refresh and end one, sessions:read to see it', async () => {
    const reader = await actor({ verbs: ['sessions:read'] })
    const writer = await actor({ verbs: ['sessions:write'] })
    const tokens = await begin(newSubject())
    expect(await codeOf(begin(newSubject(), {}, reader))).toBe('forbidden')
    expect(await codeOf(refresh(tokens, reader))).toBe('forbidden')
    expect(await codeOf(revokeSession(issuing.as(reader), tokens.id))).toBe('forbidden')
    expect(await codeOf(readSession(issuing.as(writer), tokens.id))).toBe('forbidden')
    expect(await codeOf(listSessions(issuing.as(writer)))).toBe('forbidden')
    expect(await readSession(issuing.as(reader), tokens.id)).toMatchObject({ state: 'active' })
    const refreshed = await refresh(tokens, writer)
    await revokeSession(issuing.as(writer), tokens.id)
    expect(await outcome(refreshed)).toBe('revoked')
  })

  test('M1: and nobody has a session in the project of the management keys', async () => {
    const scope = { ...issuing.scope, ...(await installation.scope('claviger')) }
    expect(await codeOf(createSession(scope, { subject: 'root', audience: AUDIENCE }))).toBe(
      'invalid_request',
    )
  })
})

describe('the end of a session', () => {
  test.each([
    ['by its id', ({ id }: SessionTokens) => ({ sessionId: id })],
    ['by its refresh token', ({ refreshToken }: SessionTokens) => ({ credential: refreshToken })],
  ])('is a revocation, %s too', async (_how, target) => {
    const first = await begin(newSubject())
    const second = await refresh(first)
    const receipt = await createRevocation(issuing.scope, { ...target(first), reason: 'logged out' })
    expect(receipt).toMatchObject({ effective: true, verifiers: [] })
    expect(await Promise.all([first, second].map(outcome))).toEqual(['revoked', 'revoked'])
    expect(await codeOf(refresh(second))).toBe('session_ended')
    expect(await readSession(issuing.scope, first.id)).toMatchObject({
      state: 'ended',
      endReason: 'logged out',
    })
  })

  test('is for good: ending it again changes nothing, and answers a receipt', async () => {
    const tokens = await begin(newSubject())
    await revokeSession(issuing.scope, tokens.id, { reason: 'first' })
    installation.clock.advance(HOUR_MS)
    await revokeSession(issuing.scope, tokens.id, { reason: 'second' })
    expect(await readSession(issuing.scope, tokens.id)).toMatchObject({
      endReason: 'first',
      endedAt: new Date(nowMs).toISOString(),
    })
  })

  test('V7: is told to verifiers until its last access token could have expired, and a day', async () => {
    const tokens = await begin(newSubject(), { accessTtlSeconds: 60 })
    installation.clock.advance(30 * SECOND_MS)
    await refresh(tokens)
    installation.takeFacts('default')
    await revokeSession(issuing.scope, tokens.id)
    expect(installation.takeFacts('default')).toMatchObject([
      {
        type: 'revocation',
        rule: {
          kind: 'session',
          target: tokens.id,
          tokensUntilMs: nowMs + 90 * SECOND_MS + DAY_MS,
        },
      },
    ])
    expect((await listRevocations(issuing.scope, { kind: 'session', target: tokens.id })).items).toHaveLength(
      1,
    )
  })

  test('of an unknown session is not found', async () => {
    expect(await codeOf(revokeSession(issuing.scope, 'ses_none'))).toBe('not_found')
    expect(await codeOf(createRevocation(issuing.scope, { sessionId: 'ses_none' }))).toBe('not_found')
    expect(await codeOf(readSession(issuing.scope, 'ses_none'))).toBe('not_found')
  })
})
