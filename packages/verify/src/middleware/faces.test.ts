import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { connect } from 'node:net'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Principal } from '../verdict.ts'
import type { VerifyRequest } from '../verifier/verify-request.ts'
import { createExpressProtection, principalOf as expressPrincipal } from './express.ts'
import { claviger, principalOf as fastifyPrincipal } from './fastify.ts'
import { createFetchProtection } from './fetch.ts'
import { createHonoProtection } from './hono.ts'
import { createNodeProtection } from './node.ts'

const PRINCIPAL: Principal = Object.freeze({
  ok: true,
  kind: 'key',
  id: 'key_1',
  project: 'default',
  subject: 'ada',
  roles: [],
  permissions: [],
  expiresAt: null,
  metadata: {},
  limits: [{ of: 'key' as const, name: 'a-minute', limit: 5, remaining: 4, resetSeconds: 60 }],
})

let asked: VerifyRequest[] = []
const options = {
  verifier: {
    verify: async (request: VerifyRequest) => {
      asked.push(request)
      if (request.credential === 'broken') throw new Error('no network')
      return PRINCIPAL
    },
  },
  proxies: { addresses: ['127.0.0.0/8'] },
}

function serveNode(handler: RequestListener): Server {
  return createServer(handler).listen(0, '127.0.0.1')
}

const FACES: Readonly<Record<string, () => Promise<Server>>> = {
  async express() {
    const { protect } = createExpressProtection(options)
    const app = express()
    app.get('/', protect(), (request, response) => {
      response.json({ id: expressPrincipal(request).id })
    })
    return app.listen(0, '127.0.0.1')
  },
  async fastify() {
    const app = fastify()
    await app.register(claviger, options)
    app.get('/', { preHandler: app.protect() }, async (request) => ({ id: fastifyPrincipal(request).id }))
    await app.listen({ port: 0, host: '127.0.0.1' })
    return app.server
  },
  async hono() {
    const { protect } = createHonoProtection({
      ...options,
      peer: (context) => context.env.incoming.socket.remoteAddress,
    })
    const app = new Hono()
    app.get('/', protect(), (context) => context.json({ id: context.var.principal.id }))
    return serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
  },
  async fetch() {
    const { protect } = createFetchProtection<[string | undefined]>({
      ...options,
      peer: (_request, address) => address,
    })
    const handle = protect({}, (_request, principal) => Response.json({ id: principal.id }))
    return serve({
      fetch: (request, { incoming }) => handle(request, incoming.socket.remoteAddress),
      port: 0,
      hostname: '127.0.0.1',
    }) as Server
  },
  async node() {
    const { protect } = createNodeProtection(options)
    const handle = protect({}, (_request, response, { id }) => response.end(JSON.stringify({ id })))
    return serveNode((request, response) => void handle(request, response))
  },
}

/** The whole answer to a request of these headers, as bytes on a socket: no client tidies them up. */
async function send(server: Server, headers: readonly string[]): Promise<string> {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('The server has no port.')
  const socket = connect(address.port, '127.0.0.1')
  socket.end(['GET / HTTP/1.1', 'Host: localhost', 'Connection: close', ...headers, '', ''].join('\r\n'))
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}

describe.each(Object.entries(FACES))('%s', (_, open) => {
  let server: Server

  beforeAll(async () => {
    server = await open()
    if (!server.listening) await once(server, 'listening')
  })
  afterAll(() => new Promise((done) => server.close(done)))

  test('hands on the caller, and the limits in headers', async () => {
    const answer = await send(server, ['Authorization: Bearer secret-text'])
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toContain('{"id":"key_1"}')
    expect(answer).toMatch(/^ratelimit: "key:a-minute";r=4;t=60\r$/im)
  })

  test.each([
    [['Authorization: Bearer secret-one', 'Authorization: Bearer secret-two']],
    [['X-Api-Key: secret-one', 'x-api-key: secret-one']],
    [['X-Api-Key: secret-one', 'Authorization: Bearer secret-two']],
  ])('refuses two credentials: %j', async (headers) => {
    asked = []
    const answer = await send(server, headers)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).not.toContain('secret-')
    expect(asked).toEqual([])
  })

  test('takes the last hop that is no proxy, in whatever number of headers, for the client', async () => {
    asked = []
    const forwarded = [
      'X-Forwarded-For: 192.0.2.1',
      'X-Forwarded-For: 2001:DB8::7',
      'X-Forwarded-For: 127.0.0.2',
    ]
    await send(server, ['X-Api-Key: secret-text', ...forwarded])
    expect(asked[0]?.context).toEqual({ ip: '2001:DB8::7' })
  })

  test('fails closed when the verifier does', async () => {
    const answer = await send(server, ['X-Api-Key: broken'])
    expect(answer).toMatch(/^HTTP\/1\.1 503 /)
    expect(answer).toMatch(/^content-type: application\/problem\+json/im)
    expect(answer).not.toContain('no network')
  })
})

test('a route that is not protected has no caller', () => {
  expect(() => expressPrincipal({})).toThrow(TypeError)
  expect(() => fastifyPrincipal({ principal: null })).toThrow(TypeError)
})

test('without a peer a Fetch handler believes no header, and knows no address', async () => {
  const { protect } = createFetchProtection(options)
  asked = []
  const headers = { 'x-api-key': 'secret-text', 'x-forwarded-for': '192.0.2.1' }
  await protect({}, () => new Response())(new Request('http://localhost/', { headers }))
  expect(asked[0]).not.toHaveProperty('context')
})

test('a platform that fails to tell the peer tells none', async () => {
  const peer = () => {
    throw new Error('no socket')
  }
  const { protect } = createFetchProtection({ ...options, peer })
  const request = new Request('http://localhost/', { headers: { 'x-api-key': 'secret-text' } })
  expect((await protect({}, () => new Response())(request)).status).toBe(200)
  expect(asked.at(-1)).not.toHaveProperty('context')
})

test('a response with fixed headers gets the limits, and keeps what its handler set', async () => {
  const { protect } = createFetchProtection(options)
  const request = new Request('http://localhost/', { headers: { 'x-api-key': 'secret-text' } })
  const moved = await protect({}, () => Response.redirect('http://localhost/a', 303))(request)
  expect(moved.status).toBe(303)
  expect(moved.headers.get('ratelimit-policy')).toBe('"key:a-minute";q=5')
  const own = await protect({}, () => new Response('', { headers: { ratelimit: 'own' } }))(request)
  expect(own.headers.get('ratelimit')).toBe('own')
})
