import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { DirectLane } from '../src/direct/direct-lane.ts'
import { PlainConnection } from '../src/direct/plain-connection.ts'
import { startTestServer, type TestServer } from './test-server.ts'

/** Decision 0033: a connection reads its requests by itself as long as each is plain, and then is Node's for good. */

let claviger: TestServer
let key: string
const { run } = DirectLane.prototype
const { write } = PlainConnection.prototype
const ran = vi.spyOn(DirectLane.prototype, 'run')
const plainAnswers = (): number =>
  ran.mock.calls.filter(([{ carrier }]) => carrier instanceof PlainConnection).length

beforeAll(async () => {
  // Nobody looks at what does not go on by itself.
  claviger = await startTestServer({ limits: { timeoutCheckIntervalMs: 600_000 } })
  key = (await claviger.call('POST', '/v1/keys', { body: { name: 'some' } })).body.credential
})
afterEach(() => ran.mockClear())
afterAll(async () => {
  ran.mockRestore()
  await claviger.close()
})

const LAST = 'Connection: close'
const CHUNKED = 'Transfer-Encoding: chunked'

function request(line: string, headers: readonly string[], body: string, rootKey = claviger.rootKey): string {
  const authorization = `Authorization: Bearer ${rootKey}`
  return [`${line} HTTP/1.1`, 'Host: localhost', authorization, ...headers, '', body].join('\r\n')
}

function verifyRequest(headers: readonly string[] = [], body = JSON.stringify({ credential: key })): string {
  const all = ['Content-Type: application/json', `Content-Length: ${body.length}`, ...headers]
  return request('POST /v1/verify', all, body)
}

function creation(headers: readonly string[] = [], body = '{"name":"one of many"}'): string {
  const all = ['Content-Type: application/json', `Content-Length: ${body.length}`, ...headers]
  return request('POST /v1/keys', all, body)
}

/**
 * What a server answers until it closes the connection. Of each message the pieces are sent in turns of their own, and the next
 * message once there are as many answers as messages before it.
 */
async function converse(messages: readonly (readonly string[])[]): Promise<string> {
  const socket = connect(claviger.port, '127.0.0.1')
  socket.setNoDelay(true)
  let closed = false
  const end = new Promise<void>((resolve) =>
    socket.on('close', () => {
      closed = true
      resolve()
    }),
  )
  let received = ''
  socket.setEncoding('latin1').on('data', (text) => (received += text))
  // A server that has refused and closed resets what is still being sent.
  socket.on('error', () => {})
  for (const [index, pieces] of messages.entries()) {
    while (!closed && countAnswers(received) < index) await nextTurn()
    for (const piece of pieces) {
      socket.write(piece, 'latin1')
      await nextTurn()
    }
  }
  await end
  return received
}

/** How many answers have come whole. */
function countAnswers(received: string): number {
  let count = 0
  for (let at = 0; ; count++) {
    const bodyStart = received.indexOf('\r\n\r\n', at) + 4
    if (bodyStart === 3) return count
    at = bodyStart + Number(/content-length: (\d+)/i.exec(received.slice(at, bodyStart))?.[1] ?? 0)
    if (received.length < at) return count
  }
}

const comparable = (received: string): string =>
  received.replaceAll(/^(date|claviger-request-id): .*$/gim, '$1: …')

describe('which requests a connection reads by itself:', () => {
  test('one after another, from the first, though its caller was never seen before', async () => {
    const other = await startTestServer()
    const body = '{"credential":"a"}'
    const headers = ['Content-Type: application/json', `Content-Length: ${body.length}`]
    const socket = connect(other.port, '127.0.0.1')
    for (let count = 1; count <= 3; count++) {
      socket.write(request('POST /v1/verify', headers, body, other.rootKey))
      const answer = await new Promise<string>((resolve) => socket.once('data', (part) => resolve(`${part}`)))
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
      expect(plainAnswers()).toBe(count)
    }
    socket.destroy()
    await other.close()
  })

  test('a body that comes after its head, in several pieces', async () => {
    const text = verifyRequest([LAST])
    const head = text.indexOf('\r\n\r\n') + 4
    const pieces = [text.slice(0, head), text.slice(head, head + 5), text.slice(head + 5)]
    expect(await converse([pieces])).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(plainAnswers()).toBe(1)
  })

  test('none, once one was Node’s', async () => {
    const received = await converse([
      [request('GET /v1/keys', [], '')],
      [verifyRequest()],
      [verifyRequest([LAST])],
    ])
    expect(received.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3)
    expect(plainAnswers()).toBe(0)
  })

  test('none of two that come together: whoever reads the first reads what follows it', async () => {
    const received = await converse([[verifyRequest() + verifyRequest([LAST])]])
    expect(received.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
    expect(plainAnswers()).toBe(0)
  })

  test('none whose caller is refused, which is told before its body has come (rule M5)', async () => {
    for (const text of [verifyRequest(), creation()]) {
      const socket = connect(claviger.port, '127.0.0.1')
      socket.write(text.replace(claviger.rootKey, 'clv_root_wrong').slice(0, -1))
      const answer = await new Promise<string>((resolve) => socket.once('data', (part) => resolve(`${part}`)))
      expect(answer).toMatch(/^HTTP\/1\.1 401 /)
      socket.destroy()
    }
    expect(plainAnswers()).toBe(0)
  })

  test('none whose caller is refused, and what follows is answered', async () => {
    const wrong = verifyRequest().replace(claviger.rootKey, 'clv_root_wrong')
    const received = await converse([[wrong], [verifyRequest([LAST])]])
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200'])
    expect(plainAnswers()).toBe(0)
  })
})

describe('whatever comes, in whatever pieces, is answered as Node’s own server answers it:', () => {
  /** After these the connection lives on. */
  const KEPT: readonly (() => string)[] = [
    () => verifyRequest(),
    () => verifyRequest([], '{"credential":"nonsense"}'),
    () => verifyRequest([], '{"credential":'),
    () => verifyRequest(['X-Empty:']),
    () => verifyRequest(['X-Api-Key: another']),
    () => verifyRequest(['Claviger-Project: nowhere']),
    () => `\r\n${verifyRequest()}`,
    () => verifyRequest().replace('/v1/verify', '/v1/verify?'),
    () => request('GET /healthz', [], ''),
    () => creation([], '{"name":7}'),
    () => creation(['Idempotency-Key: "refused"'], '{"name":7}'),
  ]
  /** These end it, by what they say or because nobody could tell where the next one begins. */
  const LAST_ONES: readonly (() => string)[] = [
    () => verifyRequest([LAST]),
    () => verifyRequest().replace('HTTP/1.1', 'HTTP/1.0'),
    () => verifyRequest([LAST]).replace('POST', 'PUT'),
    () => verifyRequest().replace('Host: localhost\r\n', ''),
    () => verifyRequest([LAST]).replace('Host: localhost', 'Host: localhost\nX-Some: a'),
    () => verifyRequest(['X-Some: a', ' folded']),
    () => verifyRequest(['Content-Length: 5']),
    () => verifyRequest(['Transfer-Encoding: chunked']),
    () => verifyRequest(['Transfer-Encoding : chunked']),
    () => verifyRequest([LAST, 'Expect: 100-continue']),
    () => verifyRequest([LAST], `${' '.repeat(66_000)}{}`),
    () => request('POST /v1/verify', [LAST, 'Content-Type: application/json', CHUNKED], '0\r\n\r\n'),
    () => 'nonsense\r\n\r\n',
  ]

  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 })

  test('requests one after another, cut anywhere', async () => {
    const messages = fc.tuple(
      fc.array(fc.constantFrom(...KEPT), { maxLength: 3 }),
      fc.constantFrom(...LAST_ONES),
      cuts,
    )
    await fc.assert(
      fc.asyncProperty(messages, ([kept, last, parts]) =>
        expectSame([...kept, last].map((make) => cut(make(), parts))),
      ),
      { numRuns: 150 },
    )
  })

  // Where one of several that come at once cannot be read, it is a matter of time whether Node answers those before it.
  test('requests that come at once, cut anywhere', async () => {
    const messages = fc.tuple(fc.array(fc.constantFrom(...KEPT), { minLength: 1, maxLength: 3 }), cuts)
    await fc.assert(
      fc.asyncProperty(messages, ([kept, parts]) => {
        const text = [...kept.map((make) => make()), verifyRequest([LAST])].join('')
        return expectSame([cut(text, parts)])
      }),
      { numRuns: 100 },
    )
  })

  async function expectSame(messages: readonly (readonly string[])[]): Promise<void> {
    // Before anything else a request that is Node's, so that Node reads all of it.
    const node = comparable(await converse([[request('GET /healthz', [], '')], ...messages]))
    const [, ...rest] = node.split(/(?=HTTP\/1\.1 )/)
    expect(comparable(await converse(messages))).toBe(rest.join(''))
  }

  function cut(text: string, parts: readonly number[]): string[] {
    const places = parts.map((part) => Math.floor(part * text.length)).sort((a, b) => a - b)
    return [0, ...places].map((place, index) => text.slice(place, places[index] ?? text.length))
  }
})

describe('what changes something', () => {
  const MOST = 64

  test('is worked on by a few at a time, and each of a burst is answered', async () => {
    let [inside, most] = [0, 0]
    const begun = vi.spyOn(DirectLane.prototype, 'run').mockImplementation(function (
      this: DirectLane,
      ...args
    ) {
      most = Math.max(most, ++inside)
      return run.apply(this, args)
    })
    const written = vi.spyOn(PlainConnection.prototype, 'write').mockImplementation(function (
      this: PlainConnection,
      answer,
    ) {
      inside--
      return write.call(this, answer)
    })
    const answers = await Promise.all(Array.from({ length: 300 }, () => converse([[creation([LAST])]])))
    written.mockRestore()
    begun.mockImplementation(run)
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 201 /)
    expect(most).toBe(MOST)
  })

  test('is answered before what follows it on its connection', async () => {
    for (let round = 0; round < 10; round++) {
      const socket = connect(claviger.port, '127.0.0.1')
      let received = ''
      socket.setEncoding('latin1').on('data', (text) => (received += text))
      const ended = new Promise((resolve) => socket.on('close', resolve))
      for (const text of [creation(), verifyRequest(), creation(), verifyRequest([LAST])]) {
        socket.write(text)
        // Long enough for the server to have read it, and seldom long enough for a commit.
        await sleep(1)
      }
      await ended
      const statuses = received.match(/(?<=HTTP\/1\.1 )\d+/g)
      expect(statuses).toEqual(['201', '200', '201', '200'])
    }
    expect(plainAnswers()).toBeGreaterThan(0)
  })

  test('holds no place while it is on its way, nor once its client has gone', async () => {
    const slow = Array.from({ length: 2 * MOST }, () => connect(claviger.port, '127.0.0.1'))
    await Promise.all(
      slow.map((socket) => new Promise((resolve) => socket.write(creation().slice(0, -1), resolve))),
    )
    const gone = Array.from({ length: 4 * MOST }, () => connect(claviger.port, '127.0.0.1'))
    for (const socket of gone) socket.on('error', () => {})
    await Promise.all(gone.map((socket) => new Promise((resolve) => socket.write(creation(), resolve))))
    for (const socket of gone) socket.resetAndDestroy()
    for (let count = 0; count < 3; count++) {
      const answers = await Promise.all(Array.from({ length: MOST }, () => converse([[creation([LAST])]])))
      for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 201 /)
    }
    for (const socket of slow) socket.destroy()
  })

  test('goes the framework’s way with an idempotency key, and runs once (rule C7)', async () => {
    const once = creation(['Idempotency-Key: "plain-1"', LAST])
    const [first, second] = [await converse([[once]]), await converse([[once]])]
    expect(first).toMatch(/^HTTP\/1\.1 201 /)
    const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n'))
    expect(bodyOf(second)).toBe(bodyOf(first))
    expect(plainAnswers()).toBe(0)
    await converse([[creation([LAST])]])
    expect(plainAnswers()).toBe(1)
  })
})

describe('a connection ends', () => {
  const LIMITS = {
    timeoutCheckIntervalMs: 20,
    headersTimeoutMs: 200,
    requestTimeoutMs: 300,
    keepAliveTimeoutMs: 1_000,
    closeGraceMs: 600_000,
  }
  let quick: TestServer
  beforeAll(async () => {
    quick = await startTestServer({ limits: LIMITS })
  })
  afterAll(() => quick.close())

  const open = async (): Promise<{ socket: Socket; received: () => string; closed: Promise<void> }> => {
    const socket = connect(quick.port, '127.0.0.1')
    let received = ''
    socket.setEncoding('latin1').on('data', (text) => (received += text))
    socket.on('error', () => {})
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
    return { socket, received: () => received, closed }
  }
  const quickRequest = (): string => verifyRequest([]).replace(claviger.rootKey, quick.rootKey)

  test('that brings nothing', async () => {
    const { received, closed } = await open()
    await closed
    expect(received()).toBe('')
  })

  test('that brings no other request, after the time that its answer told, and not before', async () => {
    const { socket, received, closed } = await open()
    const beganAt = performance.now()
    socket.write(quickRequest())
    await closed
    expect(received()).toContain('\r\nKeep-Alive: timeout=1\r\n')
    expect(performance.now() - beganAt).toBeGreaterThan(900)
  })

  test('whose body does not come, with 408', async () => {
    const { socket, received, closed } = await open()
    socket.write(quickRequest().slice(0, -1))
    await closed
    expect(received()).toMatch(/^HTTP\/1\.1 408 /)
  })

  test('whose body comes a byte at a time, with 408', async () => {
    const { socket, received, closed } = await open()
    const text = verifyRequest([], `${' '.repeat(500)}{}`).replace(claviger.rootKey, quick.rootKey)
    const head = text.indexOf('\r\n\r\n') + 4
    let left = text.length - head
    socket.write(text.slice(0, head))
    // No pause is as long as the time between two looks at the connection.
    for (; left > 1 && received() === ''; left--) {
      socket.write(text.slice(-left, -left + 1))
      await sleep(5)
    }
    await closed
    expect(received()).toMatch(/^HTTP\/1\.1 408 /)
    expect(left).toBeGreaterThan(1)
  })

  test('that the client has closed its side of, once it is answered', async () => {
    const { socket, received, closed } = await open()
    socket.end(quickRequest())
    await closed
    expect(received()).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('that the client has closed its side of before it was refused in its turn', async () => {
    const before = await open()
    before.socket.end(creation().replace(claviger.rootKey, 'clv_root_wrong'))
    await before.closed
    const after = await open()
    after.socket.write(quickRequest())
    await after.closed
    expect(after.received()).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('when the server closes, once it is idle', async () => {
    const other = await startTestServer({ limits: { closeGraceMs: 600_000 } })
    const socket = connect(other.port, '127.0.0.1')
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    socket.on('error', () => {})
    socket.write(verifyRequest().replace(claviger.rootKey, other.rootKey))
    await new Promise((resolve) => socket.once('data', resolve))
    await other.server.close()
    await closed
    await other.close()
  })

  test('when the server closes, with the answer to what was on its way', async () => {
    const other = await startTestServer({ limits: { closeGraceMs: 600_000 } })
    await other.call('POST', '/v1/verify', { body: { credential: 'a' } })
    const text = verifyRequest().replace(claviger.rootKey, other.rootKey)
    const socket = connect(other.port, '127.0.0.1')
    let received = ''
    socket.setEncoding('latin1').on('data', (part) => (received += part))
    socket.write(text.slice(0, -1))
    await sleep(50)
    const closing = other.server.close()
    await nextTurn()
    socket.write(text.slice(-1))
    await closing
    expect(received).toMatch(/^HTTP\/1\.1 200 /)
    expect(received).toMatch(/\r\nconnection: close\r\n/i)
    await other.close()
  })
})

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch {
    return false
  }
})()

test.skipIf(!hasOpenssl)('over TLS too (needs openssl)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-tls-'))
  const [tlsKey, tlsCert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...[
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      tlsKey,
      '-out',
      tlsCert,
    ],
  ])
  const secure = await startTestServer({ tlsKey, tlsCert })
  const socket = connectTls({ port: secure.port, host: '127.0.0.1', ca: readFileSync(tlsCert) })
  const answered = new Promise<string>((resolve) => {
    let received = ''
    socket.setEncoding('latin1').on('data', (text) => (received += text))
    socket.on('close', () => resolve(received))
  })
  const ours = (text: string): string => text.replace(claviger.rootKey, secure.rootKey)
  socket.write(ours(verifyRequest()))
  await new Promise((resolve) => socket.once('data', resolve))
  expect(plainAnswers()).toBe(1)
  socket.write(ours(request('GET /v1/keys', [LAST], '')))
  expect((await answered).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200'])
  await secure.close()
  rmSync(folder, { recursive: true })
})
