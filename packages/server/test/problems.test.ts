import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CodedError, createEngine, ERROR_CODES, type ErrorCode } from '@claviger/engine'
import { expect, test } from 'vitest'
import { buildApplication } from '../src/application.ts'
import { completeConfiguration } from '../src/configuration.ts'
import { HTTP_LIMITS } from '../src/http-limits.ts'
import { createLog } from '../src/log.ts'
import { HttpDurations } from '../src/metrics/http-durations.ts'
import { NodeMetrics } from '../src/metrics/node-metrics.ts'
import { openApiDocument } from '../src/openapi/document.ts'
import { problemsPage } from '../src/openapi/problems-page.ts'
import { problemOf, toCodedError } from '../src/problem.ts'
import { ROUTES } from '../src/routes/table.ts'

const CODES = Object.keys(ERROR_CODES) as ErrorCode[]

test('table, reference page and API document name the same problems', () => {
  const inPage = [...problemsPage().matchAll(/^\| `(\w+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [
    code,
    Number(status),
  ])
  expect(inPage).toEqual(CODES.map((code) => [code, ERROR_CODES[code].status]))

  const text = JSON.stringify(openApiDocument(ROUTES, '0'))
  const document: {
    components: { schemas: { Problem: { properties: { code: { enum: string[] } } } } }
    paths: object
  } = JSON.parse(text)
  expect(document.components.schemas.Problem.properties.code.enum).toEqual(CODES)

  const described = CODES.filter((code) => text.includes(`\`${code}\`: ${ERROR_CODES[code].title}.`))
  // A path that leads somewhere, with a method that it has, and headers that were read: those two no route can meet.
  expect(described).toEqual(
    CODES.filter((code) => code !== 'method_not_allowed' && code !== 'headers_too_large'),
  )
})

test.each(CODES)('%s is answered with its own status, title and type', (code) => {
  expect(problemOf(new CodedError(code, 'what to do'))).toEqual({
    type: `urn:claviger:problem:${code}`,
    title: ERROR_CODES[code].title,
    status: ERROR_CODES[code].status,
    detail: 'what to do',
    code,
  })
})

test.each([
  new Error('secret'),
  new TypeError('secret'),
  Object.assign(new Error('secret'), { code: 'SQLITE_CORRUPT' }),
  Object.assign(new Error('secret'), { statusCode: 400 }),
  { code: 'not_found', message: 'secret' },
  'secret',
  undefined,
])('what is not known is `internal`, and shows nothing of itself: %s', (error) => {
  const coded = toCodedError(error)
  expect(coded.code).toBe('internal')
  expect(JSON.stringify(problemOf(coded))).not.toContain('secret')
})

test('a failure of Claviger’s own is a 500 that shows nothing, and its cause is in the log under the same id', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-failure-'))
  const lines: string[] = []
  const configuration = completeConfiguration({ data: folder }, folder)
  const engine = await createEngine({ database: configuration.database })
  const durations = new HttpDurations()
  const application = await buildApplication({
    engine,
    configuration,
    limits: HTTP_LIMITS,
    log: createLog('info', { write: (line) => void lines.push(line) }),
    certificate: null,
    isOpen: () => true,
    durations,
    metrics: new NodeMetrics(engine, durations),
  })
  // A database that is closed under a running server is a fault that no code foresees.
  await engine.close()
  const answer = await application.inject('/.well-known/jwks.json')
  expect(answer.statusCode).toBe(500)
  expect(answer.json()).toMatchObject({ code: 'internal', title: 'Claviger failed' })
  expect(answer.body).not.toMatch(/database|sqlite|\.ts/i)
  const requestId = answer.headers['claviger-request-id']
  const logged = lines.map((line) => JSON.parse(line)).find((line) => line.err !== undefined)
  expect(logged).toMatchObject({ level: 50, requestId })
  expect(logged.err.stack).toContain('jwks')
  const readiness = await application.inject('/readyz')
  expect(readiness.statusCode).toBe(503)
  expect(readiness.json()).toEqual({
    status: 'unavailable',
    problems: ['writer_stopped', 'database_unreadable'],
  })
  expect((await application.inject('/healthz')).statusCode).toBe(200)
  await application.close()
  rmSync(folder, { recursive: true })
})

test('until the issuer is known nothing but health is answered', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-starting-'))
  const configuration = completeConfiguration({ data: folder }, folder)
  const engine = await createEngine({ database: configuration.database })
  const log = createLog('silent', { write: () => {} })
  const durations = new HttpDurations()
  const application = await buildApplication({
    engine,
    configuration,
    limits: HTTP_LIMITS,
    log,
    certificate: null,
    isOpen: () => false,
    durations,
    metrics: new NodeMetrics(engine, durations),
  })
  for (const url of [
    '/v1/verify',
    '/v1/keys',
    '/v1/nothing',
    '/.well-known/jwks.json',
    '/docs',
    '/nothing',
  ]) {
    const answer = await application.inject({ url, method: url === '/v1/verify' ? 'POST' : 'GET' })
    expect(answer.json(), url).toMatchObject({ status: 503, code: 'unavailable' })
    expect(answer.headers['retry-after']).toBe('1')
  }
  expect((await application.inject('/readyz')).statusCode).toBe(503)
  expect((await application.inject('/healthz')).statusCode).toBe(200)
  await application.close()
  await engine.close()
  rmSync(folder, { recursive: true })
})
