import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeOf, openTestInstallation, START_MS, type TestInstallation } from '../../test/installation.ts'
import { AUDIENCE } from '../../test/issuing.ts'
import { claimsOf, openSessions, type SessionPlace } from '../../test/sessions.ts'
import { changeManagementKey } from '../management/change-management-key.ts'
import { revokeManagementKey } from '../management/revoke-management-key.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { liftBan } from '../revocation/lift-ban.ts'
import { deleteSubject } from '../subjects/delete-subject.ts'
import { putSubject } from '../subjects/put-subject.ts'
import { createSession } from './create-session.ts'
import { listSessions } from './list-sessions.ts'
import { readSession } from './read-session.ts'
import { refreshSession } from './refresh-session.ts'

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

describe('V2: a session inherits the position that it was begun at', () => {
  test.each([
    ['its subject', (subject: string) => ({ subject })],
    ['tokens of its subject alone', (subject: string) => ({ subject, only: 'tokens' })],
    ['its client', () => ({ clientId: 'embedded' })],
    ['everything', () => ({ everything: true })],
  ])(
    'and dies with %s, its tokens and its refresh alike, however late it was refreshed',
    async (_what, target) => {
      const subject = sessions.newSubject()
      const first = await sessions.begin(subject)
      const second = await sessions.refresh(first)
      expect(claimsOf(second).pos).toBe(claimsOf(first).pos)
      await createRevocation(sessions.scope, target(subject))
      expect(await Promise.all([first, second].map(sessions.outcome))).toEqual(['revoked', 'revoked'])
      expect(await codeOf(sessions.refresh(second))).toBe('session_ended')
      expect(await sessions.stateOf(first)).toBe('ended')
      // In the same millisecond: positions decide, not seconds.
      const after = await sessions.begin(subject)
      expect(await sessions.outcome(await sessions.refresh(after))).toBe('ok')
    },
  )

  test('and is spared by a rule that concerns keys alone', async () => {
    const subject = sessions.newSubject()
    const first = await sessions.begin(subject)
    await createRevocation(sessions.scope, { subject, only: 'keys' })
    expect(await sessions.outcome(await sessions.refresh(first))).toBe('ok')
  })

  test('and by no refresh is saved from a rule with `issuedBefore` that it was begun before (V3)', async () => {
    const subject = sessions.newSubject()
    const old = await sessions.begin(subject)
    installation.clock.advance(HOUR_MS)
    const issuedBefore = new Date(nowMs + HOUR_MS).toISOString()
    installation.clock.advance(HOUR_MS)
    const refreshed = await sessions.refresh(old)
    const young = await sessions.begin(subject)
    await createRevocation(sessions.scope, { subject, issuedBefore })
    expect(await Promise.all([old, refreshed, young].map(sessions.outcome))).toEqual([
      'revoked',
      'revoked',
      'ok',
    ])
    expect(await codeOf(sessions.refresh(refreshed))).toBe('session_ended')
    expect(await sessions.outcome(await sessions.refresh(young))).toBe('ok')
  })

  test('and is not begun under a ban, nor revived when that is lifted (V1)', async () => {
    const subject = sessions.newSubject()
    const first = await sessions.begin(subject)
    const ban = await createRevocation(sessions.scope, { subject, ban: true })
    expect(await codeOf(sessions.begin(subject))).toBe('revoked')
    expect(await codeOf(sessions.refresh(first))).toBe('session_ended')
    await liftBan(sessions.scope, ban.id)
    expect(await codeOf(sessions.refresh(first))).toBe('session_ended')
    expect(await sessions.outcome(await sessions.begin(subject))).toBe('ok')
  })
})

describe('V2: what takes rights away while a session is begun or refreshed', () => {
  /** Does something at the last moment before the command: when the access token has all but its signature. */
  function interrupted(act: () => Promise<unknown>): SessionPlace['scope'] {
    const { scope } = sessions
    return {
      ...scope,
      async waitForApplied(position) {
        await act()
        await scope.waitForApplied(position)
      },
    }
  }

  /** Guarantee: no token is handed out with rights that the command did not hold against the caller's grants. */
  test('M3, R6: a record that is narrowed or deleted meanwhile makes no way around the grants', async () => {
    const subject = sessions.newSubject()
    const actor = await sessions.newActor({ verbs: ['sessions:write'] })
    await putSubject(sessions.scope, subject, { roles: ['writer'] })
    const tokens = await sessions.begin(subject)
    for (const act of [
      () => putSubject(sessions.scope, subject, { roles: [] }),
      () => deleteSubject(sessions.scope, subject),
    ]) {
      await putSubject(sessions.scope, subject, { roles: ['writer'] })
      const scope = { ...interrupted(act), actor }
      expect(await codeOf(createSession(scope, { subject, audience: AUDIENCE }))).toBe('busy')
      await putSubject(sessions.scope, subject, { roles: ['writer'] })
      expect(await codeOf(refreshSession(scope, { refreshToken: tokens.refreshToken }))).toBe('busy')
    }
    await putSubject(sessions.scope, subject, { roles: ['reader'] })
    expect(await sessions.outcome(await sessions.refresh(tokens))).toBe('ok')
  })

  test.each([
    ['a revocation', 'session_ended', (subject: string) => createRevocation(sessions.scope, { subject })],
    [
      'a disabled record',
      'suspended',
      (subject: string) => putSubject(sessions.scope, subject, { disabled: true }),
    ],
  ] as const)('counts: %s', async (_what, code, act) => {
    const subject = sessions.newSubject()
    const scope = interrupted(() => act(subject))
    const input = { subject, audience: AUDIENCE }
    expect(await codeOf(createSession(scope, input))).toBe(code === 'session_ended' ? 'revoked' : code)
    expect((await listSessions(sessions.scope, { subject })).items).toEqual([])

    const other = sessions.newSubject()
    const { refreshToken } = await sessions.begin(other)
    const refreshing = refreshSession(
      interrupted(() => act(other)),
      { refreshToken },
    )
    expect(await codeOf(refreshing)).toBe(code)
  })

  test('counts: the revocation of the management key that asks', async () => {
    const backend = await sessions.newActor({ preset: 'backend' })
    const scope = { ...interrupted(() => revokeManagementKey(sessions.scope, backend.keyId)), actor: backend }
    const input = { subject: sessions.newSubject(), audience: AUDIENCE }
    expect(await codeOf(createSession(scope, input))).toBe('unauthenticated')
  })
})

describe('V5: the key that began a session', () => {
  test('kills it when it is revoked, and suspends it while it is disabled', async () => {
    const backend = await sessions.newActor({ preset: 'backend' })
    const tokens = await sessions.begin(sessions.newSubject(), {}, backend)
    expect(claimsOf(tokens).client_id).toBe(backend.keyId)
    await changeManagementKey(sessions.scope, backend.keyId, { disabled: true })
    expect(await codeOf(sessions.refresh(tokens))).toBe('suspended')
    expect(await sessions.outcome(tokens)).toBe('disabled')
    expect(await sessions.stateOf(tokens)).toBe('suspended')
    await changeManagementKey(sessions.scope, backend.keyId, { disabled: false })
    const refreshed = await sessions.refresh(tokens)
    // Another caller refreshed it; it stays the session of the key that began it.
    expect(claimsOf(refreshed).client_id).toBe(backend.keyId)
    await revokeManagementKey(sessions.scope, backend.keyId)
    expect(await sessions.outcome(refreshed)).toBe('revoked')
    expect(await codeOf(sessions.refresh(refreshed))).toBe('session_ended')
  })

  test('spares it when it is revoked with `keepIssued`', async () => {
    const backend = await sessions.newActor({ preset: 'backend' })
    const tokens = await sessions.begin(sessions.newSubject(), {}, backend)
    await revokeManagementKey(sessions.scope, backend.keyId, { keepIssued: true })
    expect(await sessions.outcome(await sessions.refresh(tokens))).toBe('ok')
  })
})

describe('R6: the record of the subject', () => {
  test('gives its roles, as they are at each refresh, to a session with none of its own', async () => {
    const subject = sessions.newSubject()
    await putSubject(sessions.scope, subject, { roles: ['reader'], permissions: ['billing:read'] })
    const first = await sessions.begin(subject)
    expect(await sessions.verdictOn(first)).toMatchObject({ permissions: ['billing:read', 'documents:read'] })
    expect(await readSession(sessions.scope, first.id)).toMatchObject({ roles: null, permissions: null })
    await putSubject(sessions.scope, subject, { roles: ['reader', 'writer'] })
    const second = await sessions.refresh(first)
    expect(await sessions.verdictOn(second)).toMatchObject({
      permissions: ['documents:read', 'documents:write'],
    })
    // What was taken away counts at once, what was added with the next refresh.
    expect(await sessions.verdictOn(first)).toMatchObject({ permissions: ['documents:read'] })
  })

  test('bounds a session with rights of its own, and adds nothing to it; an empty list is its own', async () => {
    const subject = sessions.newSubject()
    await putSubject(sessions.scope, subject, { roles: ['reader', 'writer'] })
    const own = await sessions.begin(subject, { roles: ['reader'], permissions: ['billing:read'] })
    expect(await sessions.verdictOn(await sessions.refresh(own))).toMatchObject({
      permissions: ['documents:read'],
    })
    const none = await sessions.begin(subject, { roles: [] })
    expect(await sessions.verdictOn(await sessions.refresh(none))).toMatchObject({
      ok: true,
      permissions: [],
    })
  })

  test('gives nothing where it lists nothing, and where there is none', async () => {
    const subject = sessions.newSubject()
    expect(await sessions.verdictOn(await sessions.begin(subject))).toMatchObject({
      ok: true,
      roles: [],
      permissions: [],
    })
    await putSubject(sessions.scope, subject, { metadata: { plan: 'gold' } })
    expect(await sessions.verdictOn(await sessions.begin(subject))).toMatchObject({
      ok: true,
      roles: [],
      permissions: [],
    })
  })

  test('that is disabled refuses the refresh and a new session, and ends nothing', async () => {
    const subject = sessions.newSubject()
    const tokens = await sessions.begin(subject)
    await putSubject(sessions.scope, subject, { disabled: true })
    expect(await codeOf(sessions.refresh(tokens))).toBe('suspended')
    expect(await codeOf(sessions.begin(subject))).toBe('suspended')
    expect(await sessions.outcome(tokens)).toBe('disabled')
    await putSubject(sessions.scope, subject, { disabled: false })
    expect(await sessions.outcome(tokens)).toBe('ok')
    expect(await sessions.outcome(await sessions.refresh(tokens))).toBe('ok')
  })

  test('R2, R4: scopes narrow at each refresh as they did at the first', async () => {
    const tokens = await sessions.begin(sessions.newSubject(), {
      roles: ['reader', 'writer'],
      scopes: ['documents:read'],
    })
    expect(await sessions.verdictOn(await sessions.refresh(tokens))).toMatchObject({
      permissions: ['documents:read'],
    })
    const empty = await sessions.begin(sessions.newSubject(), { roles: ['reader'], scopes: [] })
    expect(await sessions.verdictOn(await sessions.refresh(empty))).toMatchObject({
      ok: true,
      permissions: [],
    })
  })
})
