import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rawRequest, sendRaw } from './raw-http.ts'
import { startTestServer, type TestServer } from './test-server.ts'

let claviger: TestServer

beforeAll(async () => {
  claviger = await startTestServer()
})
afterAll(() => claviger.close())

async function managementKey(input: Record<string, unknown>): Promise<{ id: string; credential: string }> {
  const { body } = await claviger.call('POST', '/v1/management-keys', { body: { name: 'caller', ...input } })
  return body
}

/** The parameters of the one challenge of an answer, each a quoted text (RFC 9110, section 11.6.1). */
function challengeOf(header: string | null): Record<string, string> {
  const [scheme, rest = ''] = /^(Bearer) (.*)$/.exec(header ?? '')?.slice(1) ?? []
  expect(scheme).toBe('Bearer')
  const parameters = rest.split(', ').join('\n')
  const found = [...parameters.matchAll(/(?:^|\n)([a-z_]+)="([\x20\x21\x23-\x5b\x5d-\x7e\n]*)"/g)]
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value.replaceAll('\n', ', ')]))
}

describe('WWW-Authenticate (RFC 6750, section 3)', () => {
  const nothing = { realm: 'claviger' }
  const described = (error: string) => ({
    realm: 'claviger',
    error,
    error_description: expect.stringMatching(/^[A-Z].*\.$/),
  })

  test.each([
    ['no credential', [], 401, nothing],
    ['another scheme', ['Authorization: Basic dXNlcjpwYXNz'], 401, nothing],
    ['a scheme without a credential', ['Authorization: Bearer'], 401, nothing],
    ['an empty key', ['X-Api-Key: '], 401, nothing],
    ['a credential that is none', ['Authorization: Bearer nonsense'], 401, described('invalid_token')],
    ['a key that is none', ['X-Api-Key: nonsense'], 401, described('invalid_token')],
    [
      'two headers',
      ['Authorization: Bearer a', 'Authorization: Bearer a'],
      401,
      described('invalid_request'),
    ],
    ['two credentials', ['Authorization: Bearer a', 'X-Api-Key: b'], 401, described('invalid_request')],
  ])('for %s', async (_, headers, status, parameters) => {
    for (const path of ['/v1/keys', '/v1/nothing', '/v1/%ff']) {
      const answer = await sendRaw(claviger.port, rawRequest(`GET ${path}`, headers))
      expect(answer.status).toBe(status)
      const header = /^www-authenticate: (.*)$/im.exec(answer.head)?.[1]?.trim() ?? null
      expect(challengeOf(header)).toEqual(parameters)
    }
  })

  test('for a key that was revoked says `invalid_token`, and the reason', async () => {
    const { id, credential } = await managementKey({ preset: 'auditor' })
    await claviger.call('POST', `/v1/management-keys/${id}/revoke`)
    const answer = await claviger.call('GET', '/v1/keys', { key: credential })
    expect(answer.status).toBe(401)
    const challenge = challengeOf(answer.headers.get('www-authenticate'))
    expect(challenge).toMatchObject({
      error: 'invalid_token',
      error_description: expect.stringContaining('revoked'),
    })
    expect(JSON.stringify(challenge)).not.toContain(credential)
  })

  test('for a verb that is wanting says `insufficient_scope`, and which', async () => {
    const { credential } = await managementKey({ verbs: ['keys:read'] })
    const answer = await claviger.call('POST', '/v1/keys', { key: credential, body: { name: 'a' } })
    expect(answer.status).toBe(403)
    expect(challengeOf(answer.headers.get('www-authenticate'))).toMatchObject({
      error: 'insufficient_scope',
      scope: 'keys:write',
    })
  })

  test('for rights that exceed the grants says `insufficient_scope`: no verb would help', async () => {
    const { credential } = await managementKey({ verbs: ['keys:write'] })
    const body = { name: 'a', permissions: ['a:b'] }
    const answer = await claviger.call('POST', '/v1/keys', { key: credential, body })
    expect(answer).toMatchObject({ status: 403, body: { code: 'exceeds_grants' } })
    const challenge = challengeOf(answer.headers.get('www-authenticate'))
    expect(challenge).toMatchObject({ error: 'insufficient_scope' })
    expect(challenge).not.toHaveProperty('scope')
  })

  test('is not there for anything else', async () => {
    for (const [method, path, status] of [
      ['GET', '/v1/keys', 200],
      ['GET', '/v1/keys/none', 404],
      ['GET', '/v1/keys?limit=x', 400],
      ['GET', '/nothing', 404],
    ] as const) {
      const answer = await claviger.call(method, path)
      expect(answer.status).toBe(status)
      expect(answer.headers.get('www-authenticate')).toBeNull()
    }
  })
})
