import { createPublicKey, verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rawRequest, sendRaw } from './raw-http.ts'
import { startTestServer, type TestServer } from './test-server.ts'

let claviger: TestServer

beforeAll(async () => {
  claviger = await startTestServer({ publicUrl: 'https://example.com/auth' })
  await claviger.call('POST', '/v1/projects', { body: { name: 'acme' } })
})
afterAll(() => claviger.close())

const get = (path: string, headers: Record<string, string> = {}) =>
  claviger.call('GET', path, { key: null, headers })

describe('JWKS (RFC 7517)', () => {
  test.each([
    ['default', '/.well-known/jwks.json'],
    ['acme', '/p/acme/.well-known/jwks.json'],
  ])(
    'that of %s checks its tokens, may be kept for five minutes, and holds nothing private',
    async (project, path) => {
      const headers = { 'claviger-project': project }
      const minted = await claviger.call('POST', '/v1/tokens', {
        headers,
        body: { subject: 's', audience: 'a' },
      })
      const [head = '', payload = '', signature = ''] = minted.body.credential.split('.')
      const jwks = await get(path)
      expect(jwks.headers.get('cache-control')).toBe('public, max-age=300')
      const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString())
      const jwk = jwks.body.keys.find((key: { kid: string }) => key.kid === kid)
      const key = createPublicKey({ key: jwk, format: 'jwk' })
      expect(
        verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url')),
      ).toBe(true)
      for (const one of jwks.body.keys)
        expect(Object.keys(one).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
    },
  )

  test.each(['/p/nothing', '/p/claviger', '/p/acme/p/acme', '/p/'])('there is none at %s', async (prefix) => {
    expect((await get(`${prefix}/.well-known/jwks.json`)).body.code).toBe('not_found')
  })
})

describe('metadata (RFC 8414)', () => {
  test.each([
    ['/.well-known/oauth-authorization-server', 'https://example.com/auth'],
    ['/.well-known/oauth-authorization-server/auth', 'https://example.com/auth'],
    ['/.well-known/oauth-authorization-server/p/acme', 'https://example.com/auth/p/acme'],
    ['/.well-known/oauth-authorization-server/auth/p/acme', 'https://example.com/auth/p/acme'],
  ])('%s names its issuer, and only what there is', async (path, issuer) => {
    const { status, body } = await get(path)
    expect(status).toBe(200)
    expect(body).toEqual({
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      response_types_supported: [],
      grant_types_supported: [],
      service_documentation: 'https://example.com/auth/docs',
    })
  })

  test.each(['/p/nothing', '/p/claviger', '/nothing', '/auth/', '/p/acme/', '/auth/p/acme/x'])(
    'there is none for %s',
    async (suffix) => {
      expect((await get(`/.well-known/oauth-authorization-server${suffix}`)).body.code).toBe('not_found')
    },
  )

  test('the issuer is never taken from what the client says', async () => {
    const forged = [
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: http',
      'Forwarded: host=evil.example',
    ]
    const answer = await sendRaw(
      claviger.port,
      rawRequest('GET /.well-known/oauth-authorization-server', forged).replace(
        'Host: localhost',
        'Host: evil.example',
      ),
    )
    expect(answer.status).toBe(200)
    expect(answer.body).not.toContain('evil')
  })
})

describe('pages', () => {
  test('the front page leads to the reference, which loads nothing from elsewhere', async () => {
    expect((await get('/')).headers.get('location')).toBe('/docs')
    const page = await get('/docs')
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(page.body).not.toMatch(/(src|href)="(https?:)?\/\//)
    const policy = page.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("style-src 'self'")
    expect(policy).not.toContain('script-src')
    expect(policy).not.toContain('unsafe')
    expect(policy).toContain("frame-ancestors 'none'")
    expect(page.headers.get('x-frame-options')).toBe('DENY')
    for (const [, path = ''] of page.body.matchAll(/(?:src|href)="([^"#]+)"/g)) {
      expect((await get(path)).status, path).toBe(200)
    }
    expect(page.body).not.toContain('<script')
  })

  test('the document of the reference is the one that the client is generated from', async () => {
    const served = await get('/docs/openapi.json')
    const committed = await import('../../client/openapi.json', { with: { type: 'json' } })
    expect(served.body).toEqual(committed.default)
  })

  test('what is not there is a problem, for a browser too', async () => {
    const answer = await get('/nothing', { accept: 'text/html' })
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } })
    expect((await get('/docs/static/../../package.json')).status).toBe(404)
    expect((await get('/docs/static/%2e%2e%2f%2e%2e%2fpackage.json')).status).toBe(404)
  })
})
