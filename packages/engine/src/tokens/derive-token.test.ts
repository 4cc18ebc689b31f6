import type { Refusal, Verdict } from '@claviger/verify'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from '../../test/issuing.ts'
import { putAudience } from '../audiences/put-audience.ts'
import { changeKey } from '../keys/change-key.ts'
import { createKey } from '../keys/create-key.ts'
import { deleteKey } from '../keys/delete-key.ts'
import { revokeKey } from '../keys/revoke-key.ts'
import { rotateKey } from '../keys/rotate-key.ts'
import { changeManagementKey } from '../management/change-management-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { revokeManagementKey } from '../management/revoke-management-key.ts'
import { createProject } from '../projects/create-project.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { putRole } from '../roles/put-role.ts'
import { createSession } from '../sessions/create-session.ts'
import { putSubject } from '../subjects/put-subject.ts'
import type { MintedToken } from './mint-input.ts'
import { mintToken } from './mint-token.ts'

const OTHER = 'https://other.example.com'

let installation: TestInstallation
let issuing: Issuing

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
  await putRole(issuing.scope, 'reader', { permissions: ['documents:read', 'billing:read'] })
})
afterAll(() => installation.close())

let subject = ''
let subjects = 0
beforeEach(() => {
  subject = `user_${subjects++}`
})

function mint(input: Record<string, unknown> = {}, scope = issuing.scope): Promise<MintedToken> {
  return mintToken(scope, { subject, audience: AUDIENCE, ...input })
}

function derive(
  parent: string | { readonly credential: string },
  input: Record<string, unknown> = {},
  scope = issuing.scope,
): Promise<MintedToken> {
  const text = typeof parent === 'string' ? parent : parent.credential
  return mintToken(scope, { parent: text, ...input })
}

function key(input: Record<string, unknown> = {}) {
  return createKey(issuing.scope, { name: 'parent', subject, permissions: ['documents:read'], ...input })
}

function verdictOn({ credential }: { readonly credential: string }): Promise<Verdict> {
  return issuing.verifier.verify({ credential })
}

async function codeOn(token: { readonly credential: string }): Promise<Refusal['code'] | 'ok'> {
  const verdict = await verdictOn(token)
  return verdict.ok ? 'ok' : verdict.code
}

function claimsOf({ credential }: { readonly credential: string }): Record<string, unknown> {
  return JSON.parse(Buffer.from(credential.split('.')[1] ?? '', 'base64url').toString())
}

/** As the claim `parents` names it. */
function signingKeyOf({ credential }: { readonly credential: string }): string {
  const header = JSON.parse(Buffer.from(credential.split('.')[0] ?? '', 'base64url').toString())
  return `kid:${header.kid}`
}

function issuedAtOf(token: { readonly credential: string }): string {
  return `iat:${claimsOf(token).iat}`
}

describe('R4: a token that is derived from a token', () => {
  test('speaks for its subject, in its session and as its client, with its rights in an explicit list', async () => {
    const parent = await mint({ roles: ['reader'], permissions: ['files:*'], claims: { plan: 'gold' } })
    const child = await derive(parent)
    expect(claimsOf(child)).toEqual({
      ...claimsOf(parent),
      jti: child.id,
      scope: 'billing:read documents:read files:*',
      parents: [issuedAtOf(parent), parent.id, signingKeyOf(parent)],
    })
    const verdict = await verdictOn(parent)
    expect(await verdictOn(child)).toEqual({
      ...verdict,
      id: child.id,
      scopes: ['billing:read', 'documents:read', 'files:*'],
    })
  })

  test('has the scopes that were asked for, within its parent, pattern by pattern', async () => {
    const parent = await mint({ permissions: ['documents:*', 'billing:read'], scopes: ['documents:*'] })
    const child = await derive(parent, { scopes: ['*:read', 'users:write'] })
    expect(claimsOf(child)).toMatchObject({ scope: 'documents:read', permissions: ['documents:read'] })
    expect(await verdictOn(child)).toMatchObject({ ok: true, permissions: ['documents:read'] })
  })

  test('has the permissions that were asked for, and is refused when its parent lacks one', async () => {
    const parent = await mint({ roles: ['reader'] })
    const child = await derive(parent, { permissions: ['documents:read'] })
    expect(await verdictOn(child)).toMatchObject({ permissions: ['documents:read'], roles: ['reader'] })
    for (const permissions of [['documents:*'], ['*:read'], ['documents:read', 'users:read'], ['*:*']]) {
      expect(await codeOf(derive(parent, { permissions }))).toBe('exceeds_parent')
    }
    expect(await codeOf(derive(child, { permissions: ['billing:read'] }))).toBe('exceeds_parent')
  })

  test.each([{ scopes: [] }, { permissions: [] }, { scopes: ['openid'] }])(
    'permits nothing when asked for %j: an empty list is not all (R2, R3)',
    async (asked) => {
      const child = await derive(await mint({ permissions: ['documents:read'] }), asked)
      expect(claimsOf(child)).toMatchObject({ scope: '' })
      expect(await verdictOn(child)).toMatchObject({ ok: true, permissions: [] })
      const grandchild = await derive(child, { scopes: ['documents:read'] })
      expect(await verdictOn(grandchild)).toMatchObject({ ok: true, permissions: [] })
    },
  )

  test('of a parent without any right permits nothing, whatever is asked for', async () => {
    const child = await derive(await mint(), { scopes: ['*:*'] })
    expect(await verdictOn(child)).toMatchObject({ ok: true, permissions: [] })
  })

  test('does not grow with a role of its parent, and shrinks with it (R5)', async () => {
    await putRole(issuing.scope, 'changing', { permissions: ['documents:read', 'documents:write'] })
    const parent = await mint({ roles: ['changing'] })
    const child = await derive(parent)
    await putRole(issuing.scope, 'changing', { permissions: ['documents:read', 'users:write'] })
    expect(await verdictOn(parent)).toMatchObject({ permissions: ['documents:read', 'users:write'] })
    expect(await verdictOn(child)).toMatchObject({ permissions: ['documents:read'] })
  })

  test("does not grow with its subject's record (R6)", async () => {
    await putSubject(issuing.scope, subject, { permissions: ['documents:read'] })
    const parent = await mint({ permissions: ['documents:*'] })
    const child = await derive(parent)
    await putSubject(issuing.scope, subject, {})
    expect(await verdictOn(parent)).toMatchObject({ permissions: ['documents:*'] })
    expect(await verdictOn(child)).toMatchObject({ permissions: ['documents:read'] })
  })

  test('never lives longer, however long it is asked to, nor does a child of a child of it', async () => {
    const parent = await mint({ ttlSeconds: 100 })
    const child = await derive(parent, { ttlSeconds: 86_400 })
    const grandchild = await derive(await derive(child, { ttlSeconds: 5000 }), { ttlSeconds: 5000 })
    for (const token of [child, grandchild]) expect(token.expiresAt).toBe(parent.expiresAt)
    expect(claimsOf(await derive(parent, { ttlSeconds: 10 })).exp).toBe(Number(claimsOf(parent).exp) - 90)
  })

  test('speaks for no other subject, and takes no role besides', async () => {
    const parent = await mint({ roles: ['reader'] })
    expect(await codeOf(derive(parent, { subject: 'admin' }))).toBe('invalid_request')
    expect(await codeOf(derive(parent, { subject }))).toBe('invalid_request')
    expect(await codeOf(derive(parent, { roles: ['reader'] }))).toBe('invalid_request')
  })

  test("has its parent's claims, which nobody changes; it may have others", async () => {
    await putAudience(issuing.scope, AUDIENCE, { claims: { plan: 'free', region: 'eu' } })
    const parent = await mint({ claims: { plan: 'gold' } })
    const child = await derive(parent, { claims: { seats: 3, plan: 'gold' } })
    expect(claimsOf(child)).toMatchObject({ plan: 'gold', region: 'eu', seats: 3 })
    expect(await codeOf(derive(parent, { claims: { plan: 'platinum' } }))).toBe('exceeds_parent')
    expect(await codeOf(derive(child, { claims: { seats: 300 } }))).toBe('exceeds_parent')
    expect(await codeOf(derive(parent, { claims: { parents: [] } }))).toBe('invalid_request')
    await putAudience(issuing.scope, AUDIENCE, {})
  })

  test('is for the audiences of its parent or fewer; another one needs grants for the rights (M3)', async () => {
    const parent = await mint({ audience: [AUDIENCE, OTHER], permissions: ['documents:read'] })
    const { id } = await createManagementKey(issuing.scope, { name: 'exchanger', verbs: ['tokens:mint'] })
    const exchanger = issuing.as(managementKey(id))
    expect(claimsOf(await derive(parent, {}, exchanger)).aud).toEqual([AUDIENCE, OTHER])
    const child = await derive(parent, { audience: AUDIENCE }, exchanger)
    expect(claimsOf(child).aud).toBe(AUDIENCE)
    expect(await codeOf(derive(child, { audience: OTHER }, exchanger))).toBe('exceeds_grants')
    expect(await codeOf(derive(child, { audience: [AUDIENCE, 'x'] }, exchanger))).toBe('exceeds_grants')
    // Without rights there is nothing that the other audience could be shown.
    expect(claimsOf(await derive(child, { audience: OTHER, scopes: [] }, exchanger)).aud).toBe(OTHER)
    await changeManagementKey(issuing.scope, id, { grants: ['documents:*'] })
    expect(claimsOf(await derive(child, { audience: OTHER }, exchanger)).aud).toBe(OTHER)
  })

  test('needs the verb and no grants: whoever holds the parent has its rights already (M3)', async () => {
    const parent = await mint({ permissions: ['documents:read'] })
    const minter = await createManagementKey(issuing.scope, { name: 'minter', verbs: ['tokens:mint'] })
    expect(await codeOn(await derive(parent, {}, issuing.as(managementKey(minter.id))))).toBe('ok')
    const gateway = await createManagementKey(issuing.scope, { name: 'gateway', preset: 'gateway' })
    expect(await codeOf(derive(parent, {}, issuing.as(managementKey(gateway.id))))).toBe('forbidden')
  })

  test('is not derived more than fourteen times over', async () => {
    let token = await mint()
    for (let generation = 0; generation < 14; generation++) token = await derive(token)
    expect(await codeOn(token)).toBe('ok')
    expect(await codeOf(derive(token))).toBe('invalid_request')
  })
})

describe('R4, V1: with its parent dies a derived token, every cache warm,', () => {
  async function family(scope = issuing.scope) {
    const parent = await mint({ permissions: ['documents:read'] })
    const child = await derive(parent, {}, scope)
    const grandchild = await derive(child, { scopes: ['documents:*'] })
    for (const token of [parent, child, grandchild]) expect(await codeOn(token)).toBe('ok')
    return { parent, child, grandchild }
  }

  test('when the parent is revoked by its text, and a child of a child too', async () => {
    const { parent, child, grandchild } = await family()
    const bystander = await mint()
    await createRevocation(issuing.scope, { credential: parent.credential })
    for (const token of [parent, child, grandchild]) expect(await codeOn(token)).toBe('revoked')
    expect(await codeOn(bystander)).toBe('ok')
    expect(await codeOf(derive(child))).toBe('parent_refused')
    // A verifier that begins now knows it as well.
    const late = await openIssuing(installation)
    expect(await late.verifier.verify({ credential: grandchild.credential })).toMatchObject({
      code: 'revoked',
    })
  })

  test('when the parent is revoked by its id; but not the parent with its child', async () => {
    const { parent, child, grandchild } = await family()
    await createRevocation(issuing.scope, { tokenId: child.id })
    expect([await codeOn(parent), await codeOn(child), await codeOn(grandchild)]).toEqual([
      'ok',
      'revoked',
      'revoked',
    ])
  })

  test('V2: when all so far of the subject is revoked, by the `pos` of its parent and not its own', async () => {
    const parent = await mint()
    await putRole(issuing.scope, 'later', { permissions: [] })
    const child = await derive(parent)
    expect(claimsOf(child).pos).toBe(claimsOf(parent).pos)
    await createRevocation(issuing.scope, { subject })
    for (const token of [parent, child]) expect(await codeOn(token)).toBe('revoked')
    expect(await codeOn(await derive(await mint()))).toBe('ok')
  })

  test('V3: when what is older than a time is revoked: deriving makes nothing younger', async () => {
    const parent = await mint()
    const original = await key()
    installation.clock.advance(10_000)
    const between = new Date(installation.clock.nowMs() - 5_000).toISOString()
    const child = await derive(await derive(parent))
    const ofKey = await derive(await derive(original, { audience: AUDIENCE }))
    const younger = await derive(await mint())
    await createRevocation(issuing.scope, { subject, issuedBefore: between })
    for (const token of [parent, child, original, ofKey]) expect(await codeOn(token)).toBe('revoked')
    expect(await codeOn(younger)).toBe('ok')
  })

  test('V2: a child that is derived while its parent is revoked is dead on arrival', async () => {
    const parent = await mint()
    const scope = {
      ...issuing.scope,
      async verifyParent(text: string) {
        const found = await issuing.scope.verifyParent(text)
        await createRevocation(issuing.scope, { credential: parent.credential })
        return found
      },
    }
    expect(await codeOn(await derive(parent, {}, scope))).toBe('revoked')
  })

  test('V5: when the management key is revoked that minted the parent, or the one that derived from it', async () => {
    const create = () => createManagementKey(issuing.scope, { name: 'backend', preset: 'backend' })
    const [first, second] = [await create(), await create()]
    const parent = await mint({}, issuing.as(managementKey(first.id)))
    const child = await derive(parent, {}, issuing.as(managementKey(second.id)))
    const grandchild = await derive(child)
    expect(claimsOf(grandchild)).toMatchObject({
      client_id: first.id,
      parents: [issuedAtOf(parent), parent.id, signingKeyOf(parent), second.id, child.id],
    })
    await changeManagementKey(issuing.scope, second.id, { disabled: true })
    expect([await codeOn(parent), await codeOn(child), await codeOn(grandchild)]).toEqual([
      'ok',
      'disabled',
      'disabled',
    ])
    await changeManagementKey(issuing.scope, second.id, { disabled: false })
    expect(await codeOn(grandchild)).toBe('ok')
    await revokeManagementKey(issuing.scope, second.id)
    expect([await codeOn(parent), await codeOn(child)]).toEqual(['ok', 'revoked'])
    await revokeManagementKey(issuing.scope, first.id)
    expect(await codeOn(parent)).toBe('revoked')
    const late = await openIssuing(installation)
    expect(await late.verifier.verify({ credential: grandchild.credential })).toMatchObject({
      code: 'revoked',
    })
  })

  test('when the signing key of its parent is retired in an emergency, whichever signed the child', async () => {
    const parent = await mint({ algorithm: 'Ed25519' })
    const child = await derive(parent, { algorithm: 'ES256' })
    const grandchild = await derive(child, { algorithm: 'RS256' })
    for (const token of [child, grandchild]) expect(await codeOn(token)).toBe('ok')
    await createRevocation(issuing.scope, { signingKeyId: signingKeyOf(parent).slice('kid:'.length) })
    for (const token of [parent, child, grandchild]) expect(await codeOn(token)).toBe('unknown')
    const late = await openIssuing(installation)
    expect(await late.verifier.verify({ credential: child.credential })).toMatchObject({ code: 'unknown' })
  })

  test('when the session of its parent ends, which it inherits and cannot outlive', async () => {
    const session = await createSession(issuing.scope, {
      subject,
      audience: AUDIENCE,
      permissions: ['documents:read'],
    })
    const child = await derive(session.accessToken)
    const grandchild = await derive(child)
    expect(claimsOf(grandchild)).toMatchObject({ sid: session.id })
    expect(await codeOn(grandchild)).toBe('ok')
    expect(await codeOf(derive(session.refreshToken, { audience: AUDIENCE }))).toBe('parent_refused')
    await createRevocation(issuing.scope, { sessionId: session.id })
    for (const token of [child, grandchild]) expect(await codeOn(token)).toBe('revoked')
  })

  test('when its subject is disabled', async () => {
    const parent = await mint()
    const child = await derive(parent)
    await putSubject(issuing.scope, subject, { disabled: true })
    expect(await codeOn(child)).toBe('disabled')
    expect(await codeOf(derive(parent))).toBe('parent_refused')
  })
})

describe('V5: a token that is derived from an API key', () => {
  test('names it as its client, has its subject and its rights, and a fresh `pos`', async () => {
    const parent = await key({ roles: ['reader'], permissions: ['files:read'] })
    await putRole(issuing.scope, 'meanwhile', { permissions: [] })
    const fresh = claimsOf(await mint()).pos
    const child = await derive(parent, { audience: AUDIENCE })
    expect(claimsOf(child)).toMatchObject({ sub: subject, client_id: parent.id, pos: fresh })
    expect(claimsOf(child).parents).toEqual([issuedAtOf(child)])
    expect(await verdictOn(child)).toMatchObject({
      ok: true,
      clientId: parent.id,
      permissions: ['billing:read', 'documents:read', 'files:read'],
    })
  })

  test('must be told its audience, for a key is for none', async () => {
    expect(await codeOf(derive(await key()))).toBe('invalid_request')
  })

  test('dies when the key is revoked or deleted, and is suspended while it is disabled', async () => {
    const parent = await key()
    const child = await derive(parent, { audience: AUDIENCE })
    const grandchild = await derive(child)
    await changeKey(issuing.scope, parent.id, { disabled: true })
    for (const token of [child, grandchild]) expect(await codeOn(token)).toBe('disabled')
    expect(await codeOf(derive(parent, { audience: AUDIENCE }))).toBe('parent_refused')
    await changeKey(issuing.scope, parent.id, { disabled: false })
    for (const token of [child, grandchild]) expect(await codeOn(token)).toBe('ok')
    await revokeKey(issuing.scope, parent.id, {})
    for (const token of [child, grandchild]) expect(await codeOn(token)).toBe('revoked')

    const other = await key()
    const orphan = await derive(other, { audience: AUDIENCE })
    await deleteKey(issuing.scope, other.id)
    expect(await codeOn(orphan)).toBe('revoked')
  })

  test('V2: of a key that was revoked at the very head is not minted, though the verifier lags behind', async () => {
    const parent = await key()
    // The verifier knows the key as good, and is told of the revocation only when somebody waits for it.
    expect(await codeOn(parent)).toBe('ok')
    let applied = false
    const scope = {
      ...issuing.scope,
      async waitForApplied() {
        await revokeKey(issuing.scope, parent.id, { keepIssued: true })
        applied = true
      },
      async verifyParent(text: string) {
        expect(applied).toBe(true)
        return issuing.scope.verifyParent(text)
      },
    }
    expect(await codeOf(derive(parent, { audience: AUDIENCE }, scope))).toBe('parent_refused')
  })

  test('ends with the key, and with the overlap of the text that was shown', async () => {
    const soon = new Date(installation.clock.nowMs() + 60_000).toISOString()
    const child = await derive(await key({ expiresAt: soon }), { audience: AUDIENCE, ttlSeconds: 3600 })
    expect(child.expiresAt).toBe(soon)
    const parent = await key()
    await rotateKey(issuing.scope, parent.id, { overlapSeconds: 30 })
    const superseded = await derive(parent, { audience: AUDIENCE, ttlSeconds: 3600 })
    expect(Date.parse(superseded.expiresAt)).toBe(installation.clock.nowMs() + 30_000)
  })

  test.each([
    ['loses a permission', { permissions: [] }],
    ['is narrowed by scopes', { scopes: ['documents:read'] }],
    ['is bound to addresses', { ipAllow: ['192.0.2.0/24'] }],
    ['is to end sooner', { expiresAt: '2027-01-01T02:00:00Z' }],
  ])('dies when the key %s, and can be derived anew if it then may', async (_, change) => {
    const parent = await key({ permissions: ['documents:read', 'files:read'] })
    const child = await derive(parent, { audience: AUDIENCE })
    await changeKey(issuing.scope, parent.id, { name: 'renamed', metadata: { a: 1 } })
    expect(await codeOn(child)).toBe('ok')
    await changeKey(issuing.scope, parent.id, change)
    expect(await codeOn(child)).toBe('revoked')
    if ('ipAllow' in change) return
    expect(await codeOn(await derive(parent, { audience: AUDIENCE }))).toBe('ok')
  })

  test('dies when a superseded text of the key is revoked, from which it may have been derived (V6)', async () => {
    const parent = await key()
    const rotated = await rotateKey(issuing.scope, parent.id, {})
    const child = await derive(parent, { audience: AUDIENCE })
    await createRevocation(issuing.scope, { credential: parent.credential })
    expect(await codeOn(child)).toBe('revoked')
    expect(await codeOn(await derive(rotated, { audience: AUDIENCE }))).toBe('ok')
  })

  test('dies when the key is rotated without an overlap (V6)', async () => {
    const parent = await key()
    const child = await derive(parent, { audience: AUDIENCE })
    const rotated = await rotateKey(issuing.scope, parent.id, { overlapSeconds: 0 })
    expect(await codeOn(child)).toBe('revoked')
    expect(await codeOn(await derive(rotated, { audience: AUDIENCE }))).toBe('ok')
  })

  test('that is bound to addresses is refused: the token would not be', async () => {
    const parent = await key({ ipAllow: ['192.0.2.0/24'] })
    const call = derive(parent, { audience: AUDIENCE })
    await expect(call).rejects.toThrow(/\(ip_denied\)\. A key that is bound to addresses/)
    expect(await codeOf(derive(parent, { audience: AUDIENCE }))).toBe('parent_refused')
  })
})

describe('a parent is refused', () => {
  test.each([
    ['that is no credential', () => 'nonsense', 'malformed'],
    [
      'with the signature of another',
      async () => {
        const [head, payload] = (await mint()).credential.split('.')
        return [head, payload, (await mint()).credential.split('.')[2]].join('.')
      },
      'bad_signature',
    ],
    ['that is a management key (M4)', () => installation.rootKey.reveal(), 'unknown'],
    [
      'of another project',
      async () => {
        await createProject(issuing.scope, { name: 'foreign' })
        const foreign = await openIssuing(installation, 'foreign')
        return (await mintToken(foreign.scope, { subject, audience: AUDIENCE })).credential
      },
      'unknown',
    ],
    [
      'whose key is of another project',
      async () => {
        const scope = await installation.scope('foreign')
        return (await createKey(scope, { name: 'theirs' })).credential
      },
      'unknown',
    ],
    [
      'that is not valid yet',
      async () => {
        const notBefore = new Date(installation.clock.nowMs() + 60_000).toISOString()
        return (await key({ notBefore })).credential
      },
      'not_yet_valid',
    ],
  ])('%s', async (_, parent, code) => {
    const call = derive(await parent(), { audience: AUDIENCE })
    await expect(call).rejects.toThrow(`The parent was refused (${code}).`)
  })

  test('that has expired, with a text that repeats none of it', async () => {
    const parent = await mint({ ttlSeconds: 1 })
    expect(await codeOn(parent)).toBe('ok')
    installation.clock.advance(1000)
    const error = await derive(parent).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'parent_refused', status: 400 })
    expect(String(error)).toContain('(expired)')
    expect(String(error)).not.toContain(parent.credential.slice(0, 20))
  })

  test('without a verb before it is looked at (M5)', async () => {
    const gateway = await createManagementKey(issuing.scope, { name: 'gateway', preset: 'gateway' })
    expect(await codeOf(derive('nonsense', {}, issuing.as(managementKey(gateway.id))))).toBe('forbidden')
  })
})

describe('a token that outgrows usual limits', () => {
  const sized = (bytes: number) => mint({ claims: { blob: 'x'.repeat(bytes) } })

  test('is minted with a warning that names who may refuse it and what to do', async () => {
    expect(await sized(1500)).not.toHaveProperty('warnings')
    const nearlyLargest = 5500 + Math.floor(((8180 - (await sized(5500)).credential.length) * 3) / 4)
    const codes = []
    for (const bytes of [2600, 4400, nearlyLargest]) {
      const { warnings = [], credential } = await sized(bytes)
      expect(warnings).toHaveLength(1)
      expect(warnings[0]?.detail).toContain(`${credential.length} bytes long`)
      expect(warnings[0]?.detail).toContain('fewer claims')
      codes.push(warnings[0]?.code)
    }
    expect(codes).toEqual(['near_4_kib_limit', 'near_8_kib_limit', 'over_header_line_limit'])
  })
})
