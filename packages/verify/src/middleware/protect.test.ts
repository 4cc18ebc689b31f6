import { describe, expect, test } from 'vitest'
import { type Principal, refuse, VERDICT_CODES, type Verdict, type VerdictCode } from '../verdict.ts'
import type { VerifyRequest } from '../verifier/verify-request.ts'
import {
  type Admission,
  type Call,
  createProtection,
  type Decision,
  type ProtectionOptions,
  type RouteRequirements,
} from './protect.ts'

const PRINCIPAL: Principal = Object.freeze({
  ok: true,
  kind: 'key',
  id: 'key_1',
  project: 'default',
  subject: 'ada',
  roles: [],
  permissions: ['documents:read'],
  expiresAt: null,
  metadata: {},
})

interface Given {
  readonly options?: Partial<ProtectionOptions>
  readonly requirements?: RouteRequirements
  readonly call?: Partial<Call>
  readonly verify?: (request: VerifyRequest) => Promise<Verdict>
}

/** What comes of one request, what the verifier was asked, and what was told of it. */
async function run({ options, requirements = {}, call, verify }: Given) {
  const asked: VerifyRequest[] = []
  const decisions: Decision[] = []
  const verifier = {
    verify: (request: VerifyRequest) => {
      asked.push(request)
      return verify === undefined ? Promise.resolve(PRINCIPAL) : verify(request)
    },
  }
  const protection = createProtection({ verifier, onDecision: (event) => decisions.push(event), ...options })
  const admission = await protection.guard(requirements)({
    rawHeaders: [],
    target: '/documents',
    peer: '203.0.113.9',
    ...call,
  })
  return { admission, asked, decisions }
}

function answerOf(admission: Admission) {
  if (admission.ok) throw new TypeError('The request was let in.')
  return { ...admission.answer, problem: JSON.parse(admission.answer.body) }
}

const WITH_KEY = { rawHeaders: ['Authorization', 'Bearer secret-text'] }

describe('credentials', () => {
  const everywhere = { keyHeaders: ['X-Api-Key', 'X-Service-Key'], queryParameter: 'api_key' }

  test.each([
    ['Authorization', { rawHeaders: ['authorization', 'bearer secret-text'] }],
    ['X-Api-Key', { rawHeaders: ['X-API-KEY', 'secret-text'] }],
    ['a named header', { rawHeaders: ['x-service-key', 'secret-text'] }],
    ['two places that agree', { rawHeaders: ['x-api-key', 'secret-text', ...WITH_KEY.rawHeaders] }],
    ['the query, where it is opted in', { target: '/documents?a=1&api_key=secret-text' }],
  ])('are read from %s', async (_, call) => {
    const { admission, asked } = await run({ options: everywhere, call })
    expect(admission.ok).toBe(true)
    expect(asked[0]?.credential).toBe('secret-text')
  })

  test.each([
    ['two headers', ['X-Api-Key', 'secret-one', 'Authorization', 'Bearer secret-two'], ''],
    ['two headers of one name', ['X-Api-Key', 'secret-one', 'x-api-key', 'secret-one'], ''],
    [
      'two Authorization headers',
      ['Authorization', 'Bearer secret-one', 'Authorization', 'Bearer secret-two'],
      '',
    ],
    ['a header and the query', ['Authorization', 'Bearer secret-one'], '?api_key=secret-two'],
    ['two parameters', [], '?api_key=secret-one&api_key=secret-one'],
  ])('that are two, in %s, are refused with 400, and not repeated', async (_, rawHeaders, query) => {
    const call = { rawHeaders, target: `/documents${query}` }
    const { admission, asked } = await run({ options: everywhere, call })
    const { status, headers, body } = answerOf(admission)
    expect(status).toBe(400)
    expect(headers['www-authenticate']).toContain('error="invalid_request"')
    expect(JSON.stringify([headers, body])).not.toContain('secret-')
    expect(asked).toEqual([])
  })

  test('in the query are not looked at unless opted in', async () => {
    const { admission } = await run({ call: { target: '/documents?api_key=secret-text' } })
    expect(answerOf(admission).status).toBe(401)
  })

  test('in the query mark the caller and the event as exposed, and the shared principal stays as it was', async () => {
    const call = { target: '/documents?api_key=secret-text' }
    const { admission, decisions } = await run({ options: everywhere, call })
    expect(admission).toMatchObject({
      ok: true,
      principal: { id: 'key_1', exposed: true },
      headers: { 'cache-control': 'private' },
    })
    expect(decisions).toMatchObject([{ outcome: 'ok', id: 'key_1', exposed: true }])
    expect(PRINCIPAL).not.toHaveProperty('exposed')
    expect(JSON.stringify(decisions)).not.toContain('secret-text')
  })

  test.each([
    [[]],
    [['Authorization', 'Basic dXNlcjpwYXNz']],
    [['Authorization', 'Basic dXNlcjpwYXNz', 'X-Api-Key', 'secret-text']],
    [['Authorization', 'Bearer ']],
    [['X-Api-Key', '']],
  ])('that are missing (%j) get 401 without an error code (RFC 6750, section 3.1)', async (rawHeaders) => {
    const { admission, asked } = await run({ call: { rawHeaders } })
    const { status, headers, problem } = answerOf(admission)
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toBe('Bearer realm="api"')
    expect(problem).toMatchObject({ type: 'urn:claviger:problem:unauthenticated', status: 401 })
    expect(asked).toEqual([])
  })
})

describe('what is asked of the verifier', () => {
  test('is what the route requires, and the client address that the proxies name', async () => {
    const { asked } = await run({
      options: { proxies: { addresses: ['203.0.113.9'] } },
      requirements: { permissions: 'documents:read', audience: 'urn:a', cost: 3, tags: ['search'] },
      call: { rawHeaders: [...WITH_KEY.rawHeaders, 'X-Forwarded-For', '198.51.100.1, 192.0.2.7'] },
    })
    expect(asked).toEqual([
      {
        credential: 'secret-text',
        require: { permissions: 'documents:read', audience: 'urn:a' },
        context: { ip: '192.0.2.7' },
        cost: 3,
        tags: ['search'],
      },
    ])
  })

  test.each([
    [{ permissions: 'documents' }],
    [{ permissions: 'documents:read and' }],
    [{ cost: -1 }],
    [{ cost: 0.5 }],
    [{ tags: ['with space'] }],
  ])('is checked when the program starts: %j', (requirements) => {
    const protection = createProtection({ verifier: { verify: async () => PRINCIPAL } })
    expect(() => protection.guard(requirements)).toThrow(TypeError)
  })
})

describe('refusals', () => {
  test.each(Object.entries(VERDICT_CODES) as [VerdictCode, number][])(
    '`%s` is answered %i with its code and the detail',
    async (code, status) => {
      const verify = async () => refuse(code, 'It was so.')
      const { admission, decisions } = await run({ call: WITH_KEY, verify })
      const { headers, problem } = answerOf(admission)
      expect(problem).toEqual({
        type: `urn:claviger:problem:${code}`,
        title: expect.any(String),
        status,
        detail: 'It was so.',
        code,
      })
      expect(headers['content-type']).toMatch(/^application\/problem\+json/)
      expect(headers['cache-control']).toBe('no-store')
      expect(headers['www-authenticate'] !== undefined).toBe(
        status === 401 || code === 'insufficient_permissions',
      )
      expect(decisions).toMatchObject([{ outcome: code }])
    },
  )

  test.each([
    ['documents:read', 'scope="documents:read"'],
    ['documents:read and (billing:read and a:b)', 'scope="documents:read billing:read a:b"'],
  ])('for want of %s name the scope', async (permissions, scope) => {
    const verify = async () => refuse('insufficient_permissions', 'No.')
    const { admission } = await run({ requirements: { permissions }, call: WITH_KEY, verify })
    expect(answerOf(admission).headers['www-authenticate']).toContain(scope)
  })

  test('for want of one of several name no scope, since a list would mean all of them', async () => {
    const verify = async () => refuse('insufficient_permissions', 'No.')
    const requirements = { permissions: 'documents:read or documents:admin' }
    const { admission } = await run({ requirements, call: WITH_KEY, verify })
    expect(answerOf(admission).headers['www-authenticate']).not.toContain('scope=')
  })

  test('for a limit show every limit, and when to come again', async () => {
    const limits = [
      { of: 'key', name: 'a"minute', limit: 5, remaining: 0, resetSeconds: 41.5 },
      { of: 'subject', name: 'quota', limit: 100, remaining: 7, resetSeconds: null },
    ] as const
    const verify = async () => ({ ...refuse('rate_limited', 'Too much.'), limits, retryAfterSeconds: 41.5 })
    const { headers, status } = answerOf((await run({ call: WITH_KEY, verify })).admission)
    expect(status).toBe(429)
    expect(headers).toMatchObject({
      'retry-after': '42',
      'ratelimit-policy': '"key:a\\"minute";q=5, "subject:quota";q=100',
      ratelimit: '"key:a\\"minute";r=0;t=42, "subject:quota";r=7',
    })
  })

  test('that waiting does not help have no Retry-After', async () => {
    const verify = async () => ({ ...refuse('quota_exceeded', 'Used up.'), retryAfterSeconds: null })
    const { headers } = answerOf((await run({ call: WITH_KEY, verify })).admission)
    expect(headers).not.toHaveProperty('retry-after')
  })
})

describe('whatever fails is refused with 503', () => {
  test.each<[string, Given]>([
    ['a verifier that rejects', { verify: () => Promise.reject(new Error('secret-text')) }],
    [
      'a verifier that throws',
      {
        verify: () => {
          throw new TypeError('secret-text')
        },
      },
    ],
    ['a verdict that is none', { verify: async () => JSON.parse('{"ok": "yes"}') }],
    ['a verdict that is nothing', { verify: async () => JSON.parse('null') }],
    [
      'a listener that throws',
      {
        options: {
          onDecision: () => {
            throw new Error('secret-text')
          },
        },
      },
    ],
  ])('%s', async (_, given) => {
    const { status, headers, body } = answerOf((await run({ call: WITH_KEY, ...given })).admission)
    expect(status).toBe(503)
    expect(headers['retry-after']).toBe('1')
    expect(body).not.toContain('secret-text')
  })

  test('and the listener is told the cause', async () => {
    const cause = new Error('no network')
    const { decisions } = await run({ call: WITH_KEY, verify: () => Promise.reject(cause) })
    expect(decisions).toMatchObject([{ outcome: 'unavailable', cause }])
  })
})

describe('protected-resource metadata (RFC 9728)', () => {
  const verifier = { verify: async () => PRINCIPAL }
  const metadataOf = (url: string) =>
    createProtection({
      verifier,
      queryParameter: 'api_key',
      resource: { url, authorizationServers: ['https://id.example'] },
    }).metadata

  test('stands between the host and the path of the resource', () => {
    expect(metadataOf('https://api.example.com/v1')).toMatchObject({
      path: '/.well-known/oauth-protected-resource/v1',
      url: 'https://api.example.com/.well-known/oauth-protected-resource/v1',
    })
    expect(JSON.parse(metadataOf('https://api.example.com')?.body ?? '')).toEqual({
      resource: 'https://api.example.com',
      authorization_servers: ['https://id.example'],
      bearer_methods_supported: ['header'],
    })
  })

  test.each(['http://api.example.com', 'https://api.example.com/#a', 'https://a.example/"', 'nonsense'])(
    'refuses the identifier %s',
    (url) => expect(() => metadataOf(url)).toThrow(TypeError),
  )
})
