import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Change } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

let claviger: TestServer
let edgeKey: string
let edgeKeyId: string

beforeAll(async () => {
  claviger = await startTestServer()
  const made = await claviger.call('POST', '/v1/management-keys', {
    body: { name: 'edge', project: 'default', preset: 'edge' },
  })
  edgeKey = made.body.credential
  edgeKeyId = made.body.id
})
afterAll(() => claviger.close())

interface Event {
  readonly event: string
  readonly id: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: what the data are is looked at in each test.
  readonly data: any
}

/** A stream that is read as a browser's EventSource reads it. */
class Stream {
  readonly events: Event[] = []
  ended = false
  readonly #abort = new AbortController()

  static async open(after: string, key = edgeKey): Promise<Stream> {
    const stream = new Stream()
    const answer = await fetch(`${claviger.url}/v1/changes?after=${after}`, {
      headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' },
      signal: stream.#abort.signal,
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toContain('text/event-stream')
    void stream.#read(answer)
    return stream
  }

  of(name: string): readonly Event[] {
    return this.events.filter(({ event }) => event === name)
  }

  changes(): readonly Change[] {
    return this.of('change').map(({ data }) => data)
  }

  close(): void {
    this.#abort.abort()
  }

  async #read(answer: Response): Promise<void> {
    let text = ''
    try {
      for await (const chunk of answer.body ?? []) {
        text += Buffer.from(chunk).toString()
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) this.#take(block)
      }
    } catch {
      // It was closed from here.
    }
    this.ended = true
  }

  #take(block: string): void {
    const lines = block.split('\n')
    const fieldOf = (name: string) =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
    const event = fieldOf('event')
    if (event === undefined) return
    this.events.push({ event, id: fieldOf('id'), data: JSON.parse(fieldOf('data') ?? 'null') })
  }
}

async function head(): Promise<string> {
  const { body } = await claviger.call('GET', '/v1/changes?after=1-aaaaaaaa:0', { key: edgeKey })
  return body.head
}

function makeKey(name = 'fed') {
  return claviger.call('POST', '/v1/keys', { body: { name } })
}

let verifiers = 0
function leaseBody(more: object = {}) {
  return {
    verifier: { id: `verifier-${String(++verifiers).padStart(12, '0')}`, name: `edge ${verifiers}` },
    nonce: 'n'.repeat(22),
    ...more,
  }
}

async function lease(body: object, key = edgeKey) {
  return claviger.call('POST', '/v1/changes/lease', { key, body })
}

describe('the feed', () => {
  test('F1: resumes right after the place, without a gap or a double, while changes are made', async () => {
    const after = await head()
    const [epoch = '', number = ''] = after.split(':')
    const streams = [await Stream.open(after)]
    const making = Promise.all(Array.from({ length: 60 }, () => makeKey()))
    for (let turn = 0; turn < 3; turn++) {
      await sleep(20)
      const stream = streams.at(-1)
      stream?.close()
      await expect.poll(() => stream?.ended).toBe(true)
      const last = streams.flatMap(({ events }) => events.map(({ id }) => id)).findLast(Boolean)
      streams.push(await Stream.open(last ?? after))
    }
    await making
    const ids = () => streams.flatMap((stream) => stream.of('change').map(({ id }) => id))
    const end = await head()
    await expect.poll(() => ids().at(-1)).toBe(end)
    const count = Number(end.split(':')[1]) - Number(number)
    expect(count).toBeGreaterThanOrEqual(60)
    expect(ids()).toEqual(Array.from({ length: count }, (_, i) => `${epoch}:${Number(number) + 1 + i}`))
    const page = await claviger.call('GET', `/v1/changes?after=${after}`, { key: edgeKey })
    expect(page.body.changes).toEqual(streams.flatMap((stream) => stream.changes()))
    streams.at(-1)?.close()
  })

  test('E1: a place of another history, or beyond this one, is told to reset', async () => {
    const now = await head()
    const [epoch = '', number = ''] = now.split(':')
    for (const place of ['1-aaaaaaaa:5', `${epoch}:${Number(number) + 1_000}`]) {
      const stream = await Stream.open(place)
      await expect.poll(() => stream.ended).toBe(true)
      expect(stream.of('reset')).toMatchObject([{ data: { position: now } }])
      expect((await claviger.call('GET', `/v1/changes?after=${place}`, { key: edgeKey })).body).toEqual({
        reset: true,
        head: now,
      })
    }
    expect(await claviger.call('GET', '/v1/changes?after=nonsense', { key: edgeKey })).toMatchObject({
      status: 400,
    })
  })

  test('F3: shows nothing of another project, and no secret of a signing key', async () => {
    await claviger.call('POST', '/v1/projects', { body: { name: 'elsewhere' } })
    const after = await head()
    const stream = await Stream.open(after)
    await claviger.call('POST', '/v1/keys', {
      body: { name: 'foreign' },
      headers: { 'claviger-project': 'elsewhere' },
    })
    await claviger.call('POST', '/v1/signing-keys/rotate', { body: { algorithm: 'HS256' } })
    await makeKey('ours')
    await expect.poll(() => stream.changes().length).toBeGreaterThanOrEqual(2)
    const facts = stream.changes().flatMap((change) => change.facts)
    expect(facts.filter(({ type }) => type === 'key')).toHaveLength(1)
    const symmetric = facts.filter((fact) => fact.type === 'signing-key' && fact.algorithm === 'HS256')
    for (const fact of symmetric) expect(fact).toMatchObject({ publicJwk: { kty: 'oct' } })
    expect(JSON.stringify(facts)).not.toMatch(/"(k|d|secret)":/)
    const other = { headers: { 'claviger-project': 'elsewhere' }, key: edgeKey }
    expect((await claviger.call('GET', '/v1/changes?after=1-aaaaaaaa:0', other)).status).toBe(404)
    stream.close()
  })

  test('F3: the stream of a key that was revoked ends at once', async () => {
    const made = await claviger.call('POST', '/v1/management-keys', {
      body: { name: 'short', project: 'default', preset: 'edge' },
    })
    const stream = await Stream.open(await head(), made.body.credential)
    const other = await Stream.open(await head())
    await claviger.call('POST', `/v1/management-keys/${made.body.id}/revoke`)
    await expect.poll(() => stream.ended, { timeout: 900 }).toBe(true)
    expect(stream.of('end')).toMatchObject([{ data: { code: 'revoked' } }])
    await makeKey()
    await expect.poll(() => other.changes().length).toBeGreaterThan(0)
    expect(other.ended).toBe(false)
    other.close()
  })

  test('F3: a reader that does not read is cut, and the others go on', async () => {
    const after = await head()
    const slow = connect({ host: '127.0.0.1', port: claviger.port })
    slow.write(
      `GET /v1/changes?after=${after} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nauthorization: Bearer ${edgeKey}\r\n\r\n`,
    )
    slow.pause()
    const closed = new Promise((resolve) => slow.once('close', resolve))
    slow.on('error', () => {})
    const reading = await Stream.open(after)
    const permissions = Array.from({ length: 200 }, (_, i) => `${'x'.repeat(90)}${i}:read`)
    // What the operating system holds for the slow one is some megabytes; the rest waits here until it is too much.
    const put = (index: number) =>
      claviger.call('PUT', `/v1/roles/filler-${index % 50}`, {
        body: { permissions: [...permissions, `a:${index}`] },
      })
    for (let made = 0; made < 1_000; made += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, i) => put(made + i)))
    }
    // Only one that reads again learns that it was cut: a server never ends a stream that keeps up.
    slow.resume()
    await closed
    const end = await head()
    await expect.poll(() => reading.of('change').at(-1)?.id, { timeout: 20_000 }).toBe(end)
    expect(reading.ended).toBe(false)
    reading.close()
  }, 120_000)
})

test('a snapshot is lines of JSON with an end, as of one position, without any secret', async () => {
  await claviger.call('PUT', '/v1/roles/fed', { body: { permissions: ['a:b'] } })
  await claviger.call('POST', '/v1/revocations', { body: { subject: 'gone' } })
  await claviger.call('POST', '/v1/revocations', { body: { subject: 'banned', ban: true } })
  const answer = await fetch(`${claviger.url}/v1/changes/snapshot`, {
    headers: { authorization: `Bearer ${edgeKey}` },
  })
  expect(answer.headers.get('content-type')).toContain('application/x-ndjson')
  const lines = (await answer.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const [first, ...facts] = lines
  const end = facts.pop()
  expect(first).toMatchObject({ project: 'default', epochs: [expect.any(String)] })
  expect(`${first.position.epoch}:${first.position.number}`).toBe(await head())
  expect(end).toEqual({ end: true, facts: facts.length })
  expect(facts).toContainEqual({ type: 'role', name: 'fed', permissions: ['a:b'] })
  expect(facts).toContainEqual(
    expect.objectContaining({ type: 'revocation', rule: expect.objectContaining({ target: 'banned' }) }),
  )
  const rules = facts.find(({ type, kind }) => type === 'rules' && kind === 'subject')
  expect(rules).toMatchObject({ epoch: first.position.epoch, targets: expect.arrayContaining(['gone']) })
  expect(rules.numbers).toHaveLength(rules.targets.length)
  expect(JSON.stringify(facts)).not.toMatch(/"(k|d|secret)":/)
})

test('F2: keys are resolved by digest with the position they hold as of; an unknown digest alike', async () => {
  const { sha256 } = await import('@claviger/verify')
  const { body } = await makeKey('resolved')
  const digests = [sha256(body.credential), sha256('no such key')]
  const answer = await claviger.call('POST', '/v1/resolve', { key: edgeKey, body: { digests } })
  expect(answer.body.fills).toMatchObject([
    { key: { id: body.id, revoked: false }, position: expect.anything() },
    { key: null, position: expect.anything() },
  ])
  const gateway = await claviger.call('POST', '/v1/management-keys', {
    body: { name: 'gateway', project: 'default', preset: 'gateway' },
  })
  const refused = { key: gateway.body.credential, body: { digests } }
  expect((await claviger.call('POST', '/v1/resolve', refused)).status).toBe(403)
})

describe('leases and receipts', () => {
  test('L2: a lease echoes the nonce, with a head read after it arrived', async () => {
    const applied = await head()
    await makeKey()
    const { status, body } = await lease(leaseBody({ applied }))
    expect(status).toBe(200)
    expect(body).toMatchObject({ nonce: 'n'.repeat(22), leaseSeconds: 5, head: await head() })
    expect(body.head).not.toBe(applied)
  })

  test('E1: who is of another epoch gets no lease, and stands in nobody’s way', async () => {
    const { body } = await lease(leaseBody({ applied: '1-aaaaaaaa:1' }))
    expect(body).toMatchObject({ reset: true })
    expect(body.leaseSeconds).toBeUndefined()
  })

  test('V8: a receipt is effective once every verifier with a lease has applied it, and names who has not', async () => {
    const first = leaseBody({ applied: await head() })
    const second = leaseBody({ applied: await head() })
    await lease(first)
    await lease(second)
    const made = await claviger.call('POST', '/v1/revocations', { body: { subject: 'ada' } })
    expect(made.body).toMatchObject({ effective: false })
    expect(made.body.verifiers).toEqual(expect.arrayContaining([first.verifier.name, second.verifier.name]))
    await lease({ ...first, applied: made.body.position })
    const read = () => claviger.call('GET', `/v1/revocations/${made.body.id}`)
    expect((await read()).body.verifiers).not.toContain(first.verifier.name)
    const waiting = claviger.call('GET', `/v1/revocations/${made.body.id}?waitSeconds=10`)
    await sleep(50)
    await lease({ ...second, applied: made.body.position })
    const listed = await claviger.call('GET', '/v1/verifiers', { key: edgeKey })
    for (const { id } of listed.body.items) {
      await claviger.call('POST', '/v1/changes/lease/release', { key: edgeKey, body: { verifier: { id } } })
    }
    expect((await waiting).body).toMatchObject({ effective: true, verifiers: [] })
  })

  test('V8: a lease that has run out stands in nobody’s way, and one of another key cannot be given back', async () => {
    const body = leaseBody({ applied: await head() })
    await lease(body)
    const release = { verifier: { id: body.verifier.id } }
    await claviger.call('POST', '/v1/changes/lease/release', { body: release })
    const made = await claviger.call('POST', '/v1/revocations', { body: { subject: 'bob' } })
    expect(made.body).toMatchObject({ effective: false, verifiers: [body.verifier.name] })
    const began = performance.now()
    const read = await claviger.call('GET', `/v1/revocations/${made.body.id}?waitSeconds=20`)
    expect(read.body.effective).toBe(true)
    expect(performance.now() - began).toBeGreaterThan(3_000)
  }, 30_000)

  test('verifiers are listed with their place, their lag and their key', async () => {
    const applied = await head()
    const body = leaseBody({ applied, statistics: { cachedKeys: 7 } })
    await lease(body)
    await makeKey()
    const { items } = (await claviger.call('GET', '/v1/verifiers', { key: edgeKey })).body
    expect(items.find(({ id }: { id: string }) => id === body.verifier.id)).toMatchObject({
      name: body.verifier.name,
      keyId: edgeKeyId,
      address: '127.0.0.1',
      position: applied,
      lag: 1,
      hasLease: true,
      statistics: { cachedKeys: 7 },
    })
  })
})
