import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { DirectLane } from '../src/direct/direct-lane.ts'
import { PlainConnection } from '../src/direct/plain-connection.ts'
import { type RawAnswer, rawRequest, sendRaw } from './raw-http.ts'
import { startTestServer, type TestServer } from './test-server.ts'

/**
 * One request by each way: a connection takes by itself what is plainly written, through Node's messages the direct lane takes
 * what has a header that is not, and what is plainly JSON in another spelling is left to the framework (decisions 0023, 0033).
 */
const LANES = {
  plain: ['Content-Type: application/json'],
  message: ['Content-Type: application/json', 'X-Empty:'],
  framework: ['Content-Type: application/json; charset=utf-8'],
} as const
type LaneName = keyof typeof LANES
const NAMES = Object.keys(LANES) as LaneName[]
const BURST = 6

let claviger: TestServer
/** What the direct lane answered. */
const ran = vi.spyOn(DirectLane.prototype, 'run')
/** Which way each request went that the framework did not answer, in order. */
const taken = (): LaneName[] =>
  ran.mock.calls.map(([{ carrier }]) => (carrier instanceof PlainConnection ? 'plain' : 'message'))

beforeAll(async () => {
  claviger = await startTestServer({
    limits: { guesses: { burst: BURST, refillMs: 60_000, maxAddresses: 1_000 } },
  })
})
afterEach(() => ran.mockClear())
afterAll(async () => {
  ran.mockRestore()
  await claviger.close()
})

interface Request {
  readonly path?: string
  readonly key?: string
  readonly headers?: readonly string[]
  /** A text goes as it is, a byte a character. */
  readonly body: unknown
}

function send(lane: LaneName, { path = '/v1/verify', key, headers = [], body }: Request): Promise<RawAnswer> {
  const text = typeof body === 'string' ? body : Buffer.from(JSON.stringify(body), 'utf8').toString('latin1')
  const all = [`Authorization: Bearer ${key ?? claviger.rootKey}`, ...LANES[lane], ...headers]
  return sendRaw(claviger.port, rawRequest(`POST ${path}`, all, text))
}

/**
 * All but what each request has of its own, and what is said to the next hop alone (RFC 9110, section 7.6.1): the framework
 * closes a connection on which it could not read a body.
 */
function comparable({ head, body, status }: RawAnswer) {
  const lines = head.replaceAll(/^(date|claviger-request-id): .*$/gim, '$1: …').split('\r\n')
  return { status, head: lines.filter((line) => !/^connection:/i.test(line)).sort(), body }
}

async function make(path: string, body: unknown) {
  const answer = await claviger.call('POST', path, { body })
  expect(answer.status).toBe(201)
  return answer.body
}

describe('a request is answered with the same bytes, in head and body, whichever way it goes:', () => {
  async function expectSame(request: Request, status: number): Promise<void> {
    ran.mockClear()
    await expectSameAnswers(request, status)
    expect(taken()).toEqual(['plain', 'message'])
  }

  async function expectSameAnswers(request: Request, status: number): Promise<void> {
    const framework = comparable(await send('framework', request))
    expect(framework.status).toBe(status)
    expect(comparable(await send('plain', request))).toEqual(framework)
    expect(comparable(await send('message', request))).toEqual(framework)
  }

  test('a verdict on a key, with all that can be told of it', async () => {
    const { credential } = await make('/v1/keys', {
      name: 'Schlüssel 🔑',
      subject: 'customer:ünï',
      permissions: ['documents:read'],
      metadata: { plan: 'größer', list: ['ä', 1, null] },
      limits: [{ name: 'per-day', limit: 9, windowSeconds: 60 }],
      ipAllow: ['192.0.2.0/24'],
    })
    for (const body of [
      { credential, cost: 0, context: { ip: '192.0.2.1' } },
      { credential, cost: 10, context: { ip: '192.0.2.1' } },
      { credential, cost: 0, context: { ip: '198.51.100.1' } },
      { credential, cost: 0, context: { ip: '192.0.2.1' }, require: { permissions: 'documents:write' } },
      {
        credential,
        cost: 0,
        context: { ip: '192.0.2.1' },
        require: { permissions: 'documents:read' },
        tags: ['a'],
      },
    ]) {
      await expectSame({ body }, 200)
    }
  })

  test('a verdict on a token, and on what is none', async () => {
    const { credential } = await make('/v1/tokens', {
      subject: 'ünï',
      audience: 'https://api.example.com',
      claims: { name: 'Zoë' },
    })
    const audience = 'https://api.example.com'
    for (const body of [
      { credential, require: { audience } },
      { credential, require: { audience: 'https://other.example.com' } },
      { credential: `${credential}x`, require: { audience } },
      { credential: 'nonsense' },
      { credential: '' },
      { credential: 'x'.repeat(10_000) },
    ]) {
      await expectSame({ body }, 200)
    }
  })

  test('a verdict on a key that was revoked', async () => {
    const { id, credential } = await make('/v1/keys', { name: 'revoked' })
    await claviger.call('POST', `/v1/keys/${id}/revoke`)
    await expectSame({ body: { credential } }, 200)
  })

  test.each<[string, unknown]>([
    ['no JSON', '{"credential":'],
    ['nothing but a space', ' '],
    ['two values', '{}{}'],
    ['text that is no UTF-8', '{"credential":"\xff\xfe"}'],
    ['a byte order mark', '\xef\xbb\xbf{"credential":"a"}'],
    ['a list', []],
    ['a number', 7],
    ['no credential', {}],
    ['a credential that is no text', { credential: 7 }],
    ['a member that nobody knows', { credential: 'a', other: 'ü' }],
    ['a member twice', '{"credential":"a","credential":"b"}'],
    ['a prototype', '{"credential":"a","__proto__":{"x":1}}'],
    ['a permission query that cannot be read', { credential: 'a', require: { permissions: 'a:b and' } }],
    ['a credential beyond all measure', { credential: 'a'.repeat(16_385) }],
    ['lists in lists without end', `${'['.repeat(5_000)}${']'.repeat(5_000)}`],
  ])('a body that is refused: %s', (_what, body) => expectSame({ body }, 400))

  test('a token that is not minted', async () => {
    const path = '/v1/tokens'
    for (const body of [
      { subject: 'a', audience: 'b', roles: ['nobody'] },
      { subject: '', audience: 'b' },
      { subject: 'a', audience: 'b', permissions: ['no permission'] },
      { parent: 'nonsense', audience: 'b' },
    ]) {
      await expectSame({ path, body }, 400)
    }
  })

  test('a caller who may not, one who is nobody, and one who names a project that there is not', async () => {
    const { credential: key } = await make('/v1/management-keys', { name: 'reader', preset: 'auditor' })
    const body = { credential: 'a' }
    for (const [request, status] of [
      [{ key, body }, 403],
      [{ key: `clv_root_${'0'.repeat(44)}`, body }, 401],
      [{ headers: ['Claviger-Project: nowhere'], body }, 404],
    ] as const) {
      ran.mockClear()
      await expectSameAnswers(request, status)
      expect(taken()).toEqual([])
    }
  })
})

describe('guesses by all ways add up in one count:', () => {
  test('of an end client, by its address, and a valid credential passes by either', async () => {
    const { credential } = await make('/v1/keys', { name: 'valid' })
    const context = { ip: '203.0.113.7' }
    const codes: string[] = []
    for (let index = 0; index < BURST + 2; index++) {
      const lane = NAMES[index % 3] ?? 'plain'
      codes.push(JSON.parse((await send(lane, { body: { credential: 'nonsense', context } })).body).code)
    }
    expect(codes).toEqual([...Array(BURST).fill('malformed'), 'rate_limited', 'rate_limited'])
    for (const lane of NAMES) {
      expect(JSON.parse((await send(lane, { body: { credential, context } })).body).ok).toBe(true)
    }
    expect(taken().filter((lane) => lane === 'plain')).toHaveLength(4)
    expect(taken().filter((lane) => lane === 'message')).toHaveLength(4)
  })

  test('of callers who guess management keys, on every route', async () => {
    const other = await startTestServer({
      limits: { guesses: { burst: BURST, refillMs: 60_000, maxAddresses: 1_000 } },
    })
    const statuses: number[] = []
    for (let index = 0; index < BURST + 2; index++) {
      const wrong = `Authorization: Bearer clv_root_${String(index).repeat(44)}`
      const type = LANES[NAMES[index % 3] ?? 'plain']
      const request =
        index % 4 === 3
          ? rawRequest('GET /v1/keys', [wrong])
          : rawRequest('POST /v1/verify', [wrong, ...type], '{"credential":"a"}')
      statuses.push((await sendRaw(other.port, request)).status)
    }
    expect(statuses).toEqual([...Array(BURST).fill(401), 429, 429])
    await other.close()
  })
})
