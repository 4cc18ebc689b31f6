import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Compile } from 'typebox/compile'
import Value from 'typebox/value'
import { expect } from 'vitest'
import { type ClavigerServer, createServer, type ServerOptions } from '../src/index.ts'
import { Problem } from '../src/problem.ts'
import type { Route } from '../src/routes/route.ts'
import { ROUTES } from '../src/routes/table.ts'
import { GUESS_LIMITS } from '../src/throttling/guess-throttle.ts'

export interface CallOptions {
  /** Null: without a credential. Default: the root key. */
  readonly key?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** A text goes as it is; anything else as JSON. */
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test reads members of an answer whose schema was checked.
  readonly body: any
}

/** A real server on a free port, with a real engine in a folder of its own. */
export interface TestServer {
  readonly server: ClavigerServer
  readonly url: string
  readonly port: number
  readonly rootKey: string
  readonly folder: string
  /** What was written to the log. */
  readonly lines: string[]
  /** Calls a route and checks that the answer is one that the reference describes. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** Operations that have answered without an error so far. */
  readonly succeeded: ReadonlySet<string>
  close(): Promise<void>
}

export async function startTestServer(options: ServerOptions = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-server-'))
  const lines: string[] = []
  const server = await createServer({
    port: 0,
    data: folder,
    logLevel: 'debug',
    logTo: { write: (line) => void lines.push(line) },
    ...options,
    // Most tests present more credentials that are refused than a person would.
    limits: { guesses: { ...GUESS_LIMITS, burst: 1_000_000 }, ...options.limits },
  })
  const url = await server.listen()
  const rootKey = server.createdRootKey?.reveal() ?? ''
  const succeeded = new Set<string>()

  return {
    server,
    url,
    port: Number(new URL(url).port),
    rootKey,
    folder,
    lines,
    succeeded,
    async call(method, path, { key = rootKey, headers = {}, body } = {}) {
      const response = await fetch(url + path, {
        method,
        redirect: 'manual',
        headers: {
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      const contentType = response.headers.get('content-type')
      const isJson = contentType?.includes('ndjson') === false && contentType.includes('json') && text !== ''
      const answer = {
        status: response.status,
        headers: response.headers,
        body: isJson ? JSON.parse(text) : text,
      }
      const route = routeOf(method, path)
      if (route !== undefined) checkAnswer(route, answer)
      if (route !== undefined && answer.status === route.answer.status) succeeded.add(route.operationId)
      return answer
    },
    async close() {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function routeOf(method: string, path: string): Route | undefined {
  const [pathname = ''] = path.split('?')
  return ROUTES.find(
    (route) =>
      route.method === method &&
      new RegExp(`^${route.path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(pathname),
  )
}

/** A route's path with every name filled in. */
export function somePath(route: Route): string {
  return route.path.replaceAll(/\{[^}]+\}/g, 'some')
}

const isProblem = Compile(Problem)

/** What the reference says of the route is what was answered, and nothing more. */
function checkAnswer(route: Route, { status, headers, body }: Answer): void {
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  if (status !== route.answer.status) {
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(isProblem.Check(body), `${route.operationId}: ${JSON.stringify(body)}`).toBe(true)
    expect(body.status).toBe(status)
    return
  }
  if (route.answer.schema === undefined) {
    const [format] = route.formats ?? []
    if (format === undefined) expect(body).toBe('')
    else expect(headers.get('content-type')).toBe(format.mediaType)
    return
  }
  expect(Value.Errors(route.answer.schema, body), route.operationId).toEqual([])
  expect(Value.Clean(route.answer.schema, structuredClone(body)), route.operationId).toEqual(body)
}
