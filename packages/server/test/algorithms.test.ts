import { HEADER_ALGORITHMS } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

const AUDIENCE = 'https://api.example.com'

let claviger: TestServer

beforeAll(async () => {
  claviger = await startTestServer()
})
afterAll(() => claviger.close())

async function mint(algorithm: string): Promise<string> {
  const answer = await claviger.call('POST', '/v1/tokens', {
    body: { subject: 'alice', audience: AUDIENCE, algorithm },
  })
  expect(answer.status).toBe(201)
  return answer.body.credential
}

describe('over HTTP', () => {
  test.each(HEADER_ALGORITHMS)('a token is minted with %s on demand, and verified', async (algorithm) => {
    const credential = await mint(algorithm)
    const [header = ''] = credential.split('.')
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
    expect(alg).toBe(algorithm)
    const verdict = await claviger.call('POST', '/v1/verify', {
      body: { credential, require: { audience: AUDIENCE } },
    })
    expect(verdict.body).toMatchObject({ ok: true, subject: 'alice' })
    const jwks = await fetch(`${claviger.url}/.well-known/jwks.json`)
    const { keys } = (await jwks.json()) as { keys: { kid: string; kty: string }[] }
    expect(keys.some((key) => key.kid === kid)).toBe(algorithm !== 'HS256')
  })

  test('no JWKS and no list shows a secret or a private member', async () => {
    await mint('HS256')
    const jwks = await (await fetch(`${claviger.url}/.well-known/jwks.json`)).text()
    const { body } = await claviger.call('GET', '/v1/signing-keys')
    expect(body.items).toContainEqual(
      expect.objectContaining({ algorithm: 'HS256', publicJwk: { kty: 'oct' } }),
    )
    for (const shown of [jwks, JSON.stringify(body)]) {
      expect(shown).not.toMatch(/"(k|d|p|q|dp|dq|qi|priv|private\w*|secret)":/)
    }
    expect(jwks).not.toContain('oct')
  })

  test('an algorithm that is not in the table is refused', async () => {
    for (const algorithm of ['none', 'HS384', 'ML-DSA-44', 'rs256', 'ES256K']) {
      const answer = await claviger.call('POST', '/v1/tokens', {
        body: { subject: 'alice', audience: AUDIENCE, algorithm },
      })
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    }
  })
})
