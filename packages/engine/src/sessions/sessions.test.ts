import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeOf, openTestInstallation, START_MS, type TestInstallation } from '../../test/installation.ts'
import { AUDIENCE, openIssuing } from '../../test/issuing.ts'
import { claimsOf, openSessions, type SessionPlace } from '../../test/sessions.ts'
import { createProject } from '../projects/create-project.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { listRevocations } from '../revocation/list-revocations.ts'
import { putSubject } from '../subjects/put-subject.ts'
import { createSession } from './create-session.ts'
import { listSessions } from './list-sessions.ts'
import { readSession } from './read-session.ts'
import { refreshSession } from './refresh-session.ts'
import { revokeSession } from './revoke-session.ts'
import type { SessionTokens } from './session-tokens.ts'

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

let installation: TestInstallation
let sessions: SessionPlace
let nowMs = START_MS

beforeAll(async () => {
  installation = await openTestInstallation()
  sessions = await openSessions(installation)
})
afterAll(() => installation.close())

/** No test before has seen this time: the clock that one leaves behind does not reach another. */
beforeEach(() => {
  nowMs += 1000 * DAY_MS
  installation.clock.set(nowMs)
})

describe('a session', () => {
  test('begins with an access token that names it, and a refresh token that is no key', async () => {
    const subject = sessions.newSubject()
    const tokens = await sessions.begin(subject, {
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
    expect(await sessions.verdictOn(tokens)).toMatchObject({
      ok: true,
      sessionId: tokens.id,
      permissions: ['documents:read'],
    })
    expect(await sessions.verifier.verify({ credential: tokens.refreshToken })).toMatchObject({
      ok: false,
      code: 'unknown',
      detail: expect.stringContaining('refresh token'),
    })
    expect(await readSession(sessions.scope, tokens.id)).toEqual({
      id: tokens.id,
      subject,
      audience: [AUDIENCE],
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
    const first = await sessions.begin(sessions.newSubject(), { device: 'Firefox' })
    installation.clock.advance(HOUR_MS)
    const second = await refreshSession(sessions.scope, {
      refreshToken: first.refreshToken,
      ip: '192.0.2.7',
    })
    expect(second.id).toBe(first.id)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(second.refreshToken).toMatch(/^ck_rt_[0-9A-Za-z]{44}$/)
    expect(await sessions.outcome(second)).toBe('ok')
    expect(await readSession(sessions.scope, first.id)).toMatchObject({
      device: 'Firefox',
      ip: '192.0.2.7',
      refreshedAt: new Date(nowMs + HOUR_MS).toISOString(),
      refreshExpiresAt: new Date(nowMs + HOUR_MS + 7 * DAY_MS).toISOString(),
    })
  })

  test('keeps digests alone: no text of a refresh token is in the database', async () => {
    const first = await sessions.begin(sessions.newSubject())
    const second = await sessions.refresh(first)
    const rows = await installation.reader.selectFrom('refresh_tokens').selectAll().execute()
    const commands = await installation.reader.selectFrom('commands').selectAll().execute()
    const audit = await installation.reader.selectFrom('audit').selectAll().execute()
    const stored = JSON.stringify([rows, commands, audit])
    for (const { refreshToken, accessToken } of [first, second]) {
      expect(stored).not.toContain(refreshToken.slice(6, 30))
      expect(stored).not.toContain(accessToken)
    }
  })

  test('cannot be fixed beforehand: neither its id nor its refresh token is taken from a caller', async () => {
    for (const chosen of [
      { id: 'ses_1' },
      { sessionId: 'ses_1' },
      { refreshToken: 'x' },
      { claims: { sid: 'x' } },
    ]) {
      expect(await codeOf(sessions.begin(sessions.newSubject(), chosen as never))).toBe('invalid_request')
    }
    const { refreshToken } = await sessions.begin(sessions.newSubject())
    const forged = installation.refreshTokens.first('ck')
    expect(await codeOf(sessions.refresh({ refreshToken: forged }))).toBe('session_ended')
    for (const text of [
      `${refreshToken.slice(0, -1)}!`,
      refreshToken.slice(0, -1),
      'x',
      refreshToken.replace('ck_rt', 'ck'),
    ]) {
      expect(await codeOf(sessions.refresh({ refreshToken: text }))).toBe('invalid_request')
    }
  })

  test('of another project is not found, and its refresh token is unknown there', async () => {
    await createProject(sessions.scope, { name: 'other', keyPrefix: 'a'.repeat(24) })
    const other = await openIssuing(installation, 'other')
    const tokens = await sessions.begin(sessions.newSubject())
    expect(await codeOf(refreshSession(other.scope, { refreshToken: tokens.refreshToken }))).toBe(
      'session_ended',
    )
    expect(await codeOf(readSession(other.scope, tokens.id))).toBe('not_found')
    expect(await codeOf(revokeSession(other.scope, tokens.id))).toBe('not_found')
    expect(await codeOf(createRevocation(other.scope, { credential: tokens.refreshToken }))).toBe('not_found')
    expect((await listSessions(other.scope)).items).toEqual([])
    // The longest prefix that a project may have takes the suffix of a refresh token.
    const theirs = await createSession(other.scope, { subject: 'user_1', audience: AUDIENCE })
    expect(theirs.refreshToken).toMatch(/^a{24}_rt_/)
    const { refreshToken } = await refreshSession(other.scope, { refreshToken: theirs.refreshToken })
    expect(refreshToken).toMatch(/^a{24}_rt_/)
    expect(await sessions.outcome(await sessions.refresh(tokens))).toBe('ok')
  })

  test('with a token that no verifier would read is not begun', async () => {
    const subject = sessions.newSubject()
    const claims = { text: 'x'.repeat(9000) }
    expect(await codeOf(sessions.begin(subject, { claims }))).toBe('invalid_request')
    expect((await listSessions(sessions.scope, { subject })).items).toEqual([])
  })

  test('is listed by subject and state, the newest first', async () => {
    const subject = sessions.newSubject()
    const ended = await sessions.begin(subject)
    installation.clock.advance(1)
    const active = await sessions.begin(subject)
    await revokeSession(sessions.scope, ended.id, { reason: 'logged out' })
    const list = async (filters: object) =>
      (await listSessions(sessions.scope, { subject, ...filters })).items.map(({ id }) => id)
    expect(await list({})).toEqual([active.id, ended.id])
    expect(await list({ state: 'active' })).toEqual([active.id])
    expect(await list({ state: 'ended' })).toEqual([ended.id])
    const page = await listSessions(sessions.scope, { subject, limit: 1 })
    expect(page.items.map(({ id }) => id)).toEqual([active.id])
    expect(await list({ limit: 1, cursor: page.nextCursor })).toEqual([ended.id])
    installation.clock.advance(8 * DAY_MS)
    expect(await list({ state: 'expired' })).toEqual([active.id])
    await putSubject(sessions.scope, subject, { disabled: true })
    expect(await list({ state: 'suspended' })).toEqual([active.id])
  })
})

describe('M3: a management key hands out no more than its grants', () => {
  test('when it begins a session, by rights of its own, by a role, and by the record of the subject', async () => {
    const subject = sessions.newSubject()
    await putSubject(sessions.scope, subject, { roles: ['writer'] })
    const narrow = await sessions.newActor({ preset: 'backend', grants: ['documents:read'] })
    expect(
      await codeOf(sessions.begin(sessions.newSubject(), { permissions: ['documents:write'] }, narrow)),
    ).toBe('exceeds_grants')
    expect(await codeOf(sessions.begin(sessions.newSubject(), { roles: ['writer'] }, narrow))).toBe(
      'exceeds_grants',
    )
    expect(await codeOf(sessions.begin(subject, {}, narrow))).toBe('exceeds_grants')
    expect(
      await sessions.outcome(await sessions.begin(sessions.newSubject(), { roles: ['reader'] }, narrow)),
    ).toBe('ok')
    // Scopes that narrow enough are enough.
    const scopes = ['documents:read']
    expect(
      await sessions.outcome(
        await sessions.begin(sessions.newSubject(), { permissions: ['documents:*'], scopes }, narrow),
      ),
    ).toBe('ok')
  })

  test('when it refreshes one, whose refresh token stays unused then', async () => {
    const narrow = await sessions.newActor({ preset: 'backend', grants: ['documents:read'] })
    const wide = await sessions.begin(sessions.newSubject(), { roles: ['writer'] })
    expect(await codeOf(sessions.refresh(wide, narrow))).toBe('exceeds_grants')
    installation.clock.advance(HOUR_MS)
    expect(await sessions.outcome(await sessions.refresh(wide))).toBe('ok')
  })

  test('R5: an unknown role is refused', async () => {
    expect(await codeOf(sessions.begin(sessions.newSubject(), { roles: ['nobody'] }))).toBe('invalid_request')
  })
})

describe('M6: a management key needs the verb', () => {
  test('sessions:write to begin, refresh and end one, sessions:read to see it', async () => {
    const reader = await sessions.newActor({ verbs: ['sessions:read'] })
    const writer = await sessions.newActor({ verbs: ['sessions:write'] })
    const tokens = await sessions.begin(sessions.newSubject())
    expect(await codeOf(sessions.begin(sessions.newSubject(), {}, reader))).toBe('forbidden')
    expect(await codeOf(sessions.refresh(tokens, reader))).toBe('forbidden')
    expect(await codeOf(revokeSession(sessions.as(reader), tokens.id))).toBe('forbidden')
    expect(await codeOf(readSession(sessions.as(writer), tokens.id))).toBe('forbidden')
    expect(await codeOf(listSessions(sessions.as(writer)))).toBe('forbidden')
    expect(await readSession(sessions.as(reader), tokens.id)).toMatchObject({ state: 'active' })
    const refreshed = await sessions.refresh(tokens, writer)
    await revokeSession(sessions.as(writer), tokens.id)
    expect(await sessions.outcome(refreshed)).toBe('revoked')
  })

  test('M1: and nobody has a session in the project of the management keys', async () => {
    const scope = { ...sessions.scope, ...(await installation.scope('claviger')) }
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
    const first = await sessions.begin(sessions.newSubject())
    const second = await sessions.refresh(first)
    const receipt = await createRevocation(sessions.scope, { ...target(first), reason: 'logged out' })
    expect(receipt).toMatchObject({ effective: true, verifiers: [] })
    expect(await Promise.all([first, second].map(sessions.outcome))).toEqual(['revoked', 'revoked'])
    expect(await codeOf(sessions.refresh(second))).toBe('session_ended')
    expect(await readSession(sessions.scope, first.id)).toMatchObject({
      state: 'ended',
      endReason: 'logged out',
    })
  })

  test('is for good: ending it again changes nothing, and answers a receipt', async () => {
    const tokens = await sessions.begin(sessions.newSubject())
    await revokeSession(sessions.scope, tokens.id, { reason: 'first' })
    installation.clock.advance(HOUR_MS)
    await revokeSession(sessions.scope, tokens.id, { reason: 'second' })
    expect(await readSession(sessions.scope, tokens.id)).toMatchObject({
      endReason: 'first',
      endedAt: new Date(nowMs).toISOString(),
    })
  })

  test('V7: is told to verifiers until its last access token could have expired, and a day', async () => {
    const tokens = await sessions.begin(sessions.newSubject(), { accessTtlSeconds: 60 })
    installation.clock.advance(30 * SECOND_MS)
    await sessions.refresh(tokens)
    installation.takeFacts('default')
    await revokeSession(sessions.scope, tokens.id)
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
    expect(
      (await listRevocations(sessions.scope, { kind: 'session', target: tokens.id })).items,
    ).toHaveLength(1)
  })

  test('of an unknown session is not found', async () => {
    expect(await codeOf(revokeSession(sessions.scope, 'ses_none'))).toBe('not_found')
    expect(await codeOf(createRevocation(sessions.scope, { sessionId: 'ses_none' }))).toBe('not_found')
    expect(await codeOf(readSession(sessions.scope, 'ses_none'))).toBe('not_found')
  })
})
