import type { Answer, ChildServer } from './child-server.ts'

/** A call of a route that changes something, ready to be made while a fault lasts. */
export interface Mutation {
  readonly operationId: string
  readonly method: string
  readonly path: string
  readonly body?: unknown
  /** The status of its success. */
  readonly success: number
  /** A key that passes before it, and what is said of it from its success on. */
  readonly ends?: { readonly credential: string; readonly verdict: string }
}

const AUDIENCE = 'https://api.example.com'

/**
 * One call of each route that writes, each on a target of its own, so that none depends on another. They may be made
 * again until they succeed.
 */
export async function prepareMutations(server: ChildServer): Promise<readonly Mutation[]> {
  const make = async (path: string, body: unknown): Promise<Answer['body']> => {
    const answer = await server.call(path.startsWith('/v1/roles') ? 'PUT' : 'POST', path, body)
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.body.detail}`)
    return answer.body
  }
  const key = (subject?: string) =>
    make('/v1/keys', { name: 'target', ...(subject === undefined ? {} : { subject }) })
  const managementKey = () => make('/v1/management-keys', { name: 'target', preset: 'auditor' })
  const session = () => make('/v1/sessions', { subject: 'carol', audience: AUDIENCE })
  const ended = async (
    verdict: string,
    operationId: string,
    call: (id: string) => Omit<Mutation, 'operationId' | 'success' | 'ends'>,
  ): Promise<Mutation> => {
    const { id, credential } = await key()
    const success = operationId === 'deleteKey' ? 204 : 200
    return { operationId, success, ...call(id), ends: { credential, verdict } }
  }
  const bySubject = async (
    operationId: string,
    subject: string,
    call: Omit<Mutation, 'operationId' | 'ends'> & { readonly verdict: string },
  ): Promise<Mutation> => {
    const { credential } = await key(subject)
    const { verdict, ...rest } = call
    return { operationId, ...rest, ends: { credential, verdict } }
  }

  const [changed, rotated, revoked, deleted] = await Promise.all([1, 2, 3, 4].map(managementKey))
  const [refreshed, left] = await Promise.all([session(), session()])
  const ban = await make('/v1/revocations', { subject: 'banned', ban: true })
  const shape = { prefix: 'old_', alphabet: '0-9a-f', length: 40, hashEncoding: 'hex' }
  await server.call('PUT', '/v1/key-shapes/deleted', { ...shape, prefix: 'gone_' })
  await server.call('PUT', '/v1/key-shapes/known', shape)
  await make('/v1/roles/deleted', { permissions: ['a:b'] })
  await server.call('PUT', '/v1/audiences/deleted', { ttlSeconds: 300 })
  await server.call('PUT', '/v1/subjects/deleted', { metadata: {} })
  await server.call('PUT', '/v1/subjects/patched', { metadata: {} })

  return [
    { operationId: 'createKey', method: 'POST', path: '/v1/keys', body: { name: 'new' }, success: 201 },
    await ended('disabled', 'changeKey', (id) => ({
      method: 'PATCH',
      path: `/v1/keys/${id}`,
      body: { disabled: true },
    })),
    await ended('rotated_out', 'rotateKey', (id) => ({
      method: 'POST',
      path: `/v1/keys/${id}/rotate`,
      body: { overlapSeconds: 0 },
    })),
    await ended('revoked', 'revokeKey', (id) => ({ method: 'POST', path: `/v1/keys/${id}/revoke` })),
    await ended('revoked', 'deleteKey', (id) => ({ method: 'DELETE', path: `/v1/keys/${id}` })),
    await bySubject('createRevocation', 'revoked', {
      method: 'POST',
      path: '/v1/revocations',
      body: { subject: 'revoked', only: 'keys' },
      success: 201,
      verdict: 'revoked',
    }),
    await bySubject('putSubject', 'put', {
      method: 'PUT',
      path: '/v1/subjects/put',
      body: { disabled: true },
      success: 200,
      verdict: 'disabled',
    }),
    await bySubject('patchSubject', 'patched', {
      method: 'PATCH',
      path: '/v1/subjects/patched',
      body: { disabled: true },
      success: 200,
      verdict: 'disabled',
    }),
    { operationId: 'liftRevocation', method: 'DELETE', path: `/v1/revocations/${ban.id}`, success: 200 },
    { operationId: 'deleteSubject', method: 'DELETE', path: '/v1/subjects/deleted', success: 204 },
    {
      operationId: 'putRole',
      method: 'PUT',
      path: '/v1/roles/put',
      body: { permissions: ['a:b'] },
      success: 200,
    },
    { operationId: 'deleteRole', method: 'DELETE', path: '/v1/roles/deleted', success: 204 },
    {
      operationId: 'putAudience',
      method: 'PUT',
      path: '/v1/audiences/put',
      body: { ttlSeconds: 300 },
      success: 200,
    },
    {
      operationId: 'putKeyShape',
      method: 'PUT',
      path: '/v1/key-shapes/put',
      body: { ...shape, prefix: 'put_' },
      success: 200,
    },
    { operationId: 'deleteKeyShape', method: 'DELETE', path: '/v1/key-shapes/deleted', success: 204 },
    {
      operationId: 'importKeys',
      method: 'POST',
      path: '/v1/keys/import',
      body: { shape: 'known', keys: [{ hash: 'ab'.repeat(32) }] },
      success: 200,
    },
    {
      operationId: 'changeProject',
      method: 'PATCH',
      path: '/v1/projects/default',
      body: { caps: { roles: 900 } },
      success: 200,
    },
    { operationId: 'deleteAudience', method: 'DELETE', path: '/v1/audiences/deleted', success: 204 },
    {
      operationId: 'createSession',
      method: 'POST',
      path: '/v1/sessions',
      body: { subject: 'carol', audience: AUDIENCE },
      success: 201,
    },
    {
      operationId: 'refreshSession',
      method: 'POST',
      path: '/v1/sessions/refresh',
      body: { refreshToken: refreshed.refreshToken },
      success: 200,
    },
    {
      operationId: 'revokeSession',
      method: 'POST',
      path: `/v1/sessions/${left.id}/revoke`,
      success: 200,
    },
    {
      operationId: 'createProject',
      method: 'POST',
      path: '/v1/projects',
      body: { name: 'new' },
      success: 201,
    },
    {
      operationId: 'createSigningKey',
      method: 'POST',
      path: '/v1/signing-keys',
      body: { algorithm: 'Ed25519' },
      success: 201,
    },
    { operationId: 'rotateSigningKey', method: 'POST', path: '/v1/signing-keys/rotate', success: 200 },
    {
      operationId: 'setSigningSchedule',
      method: 'PUT',
      path: '/v1/signing-schedule',
      body: { periodSeconds: 2_592_000 },
      success: 200,
    },
    {
      operationId: 'createManagementKey',
      method: 'POST',
      path: '/v1/management-keys',
      body: { name: 'new', preset: 'auditor' },
      success: 201,
    },
    {
      operationId: 'changeManagementKey',
      method: 'PATCH',
      path: `/v1/management-keys/${changed.id}`,
      body: { disabled: true },
      success: 200,
    },
    {
      operationId: 'rotateManagementKey',
      method: 'POST',
      path: `/v1/management-keys/${rotated.id}/rotate`,
      success: 200,
    },
    {
      operationId: 'revokeManagementKey',
      method: 'POST',
      path: `/v1/management-keys/${revoked.id}/revoke`,
      success: 200,
    },
    {
      operationId: 'deleteManagementKey',
      method: 'DELETE',
      path: `/v1/management-keys/${deleted.id}`,
      success: 204,
    },
  ]
}
