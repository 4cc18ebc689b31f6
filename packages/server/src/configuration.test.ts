import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CodedError } from '@claviger/engine'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { CONFIGURATION_NAMES, environmentName, readConfiguration } from './configuration.ts'

const folder = mkdtempSync(join(tmpdir(), 'claviger-configuration-'))
const file = join(folder, 'claviger.json')

beforeEach(() => rmSync(file, { force: true }))
afterAll(() => rmSync(folder, { recursive: true }))

function read(flags: Record<string, unknown> = {}, environment: Record<string, string> = {}) {
  return readConfiguration({ flags, environment, workingDirectory: folder })
}

function detailOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof CodedError && error.code === 'invalid_request') return error.message
    throw error
  }
  throw new Error('nothing was refused')
}

test('without any setting it listens on 127.0.0.1:2528 and keeps its data in the working directory', () => {
  expect(read()).toEqual({
    host: '127.0.0.1',
    port: 2528,
    data: join(folder, 'claviger-data'),
    database: `sqlite:${join(folder, 'claviger-data', 'claviger.db')}`,
    trustProxy: [],
    insecureHttp: false,
    metricsHost: '127.0.0.1',
    usageDays: 400,
    logLevel: 'info',
  })
})

test('flags count before the environment, and the environment before the file', () => {
  writeFileSync(file, JSON.stringify({ port: 1, host: '127.0.0.3', logLevel: 'debug' }))
  const environment = { CLAVIGER_PORT: '2', CLAVIGER_HOST: '127.0.0.2' }
  expect(read({ port: '3' }, environment)).toMatchObject({ port: 3, host: '127.0.0.2', logLevel: 'debug' })
  expect(read({ port: undefined }, environment)).toMatchObject({ port: 2 })
  expect(read({}, { CLAVIGER_PORT: '' })).toMatchObject({ port: 1 })
})

test('every setting is read from each of the three places', () => {
  const texts: Record<string, string> = {
    host: '127.0.0.9',
    port: '9',
    data: '/d',
    database: 'sqlite:/d/x.db',
    publicUrl: 'https://a.example/b/',
    trustProxy: '10.0.0.0/8, ::1',
    tlsCert: '/c',
    tlsKey: '/k',
    insecureHttp: 'true',
    metricsPort: '90',
    metricsHost: '127.0.0.8',
    usageDays: '30',
    logLevel: 'error',
  }
  expect(Object.keys(texts).sort()).toEqual([...CONFIGURATION_NAMES].sort())
  const expected = {
    ...texts,
    port: 9,
    publicUrl: 'https://a.example/b',
    trustProxy: ['10.0.0.0/8', '::1'],
    insecureHttp: true,
    metricsPort: 90,
    usageDays: 30,
  }
  expect(read(texts)).toEqual(expected)
  const environment = Object.fromEntries(
    CONFIGURATION_NAMES.map((name) => [environmentName(name), texts[name] ?? '']),
  )
  expect(read({}, environment)).toEqual(expected)
  writeFileSync(file, JSON.stringify(expected))
  expect(read()).toEqual(expected)
})

describe('what is wrong is refused, and named with its place', () => {
  test('flags and members of the file that nobody knows', () => {
    expect(detailOf(() => read({ redisUrl: 'x' }))).toContain('`--redis-url`')
    writeFileSync(file, '{"prot": 1}')
    expect(detailOf(() => read())).toContain('`prot` in claviger.json')
    writeFileSync(file, '{"constructor": 1}')
    expect(detailOf(() => read())).toContain('`constructor` in claviger.json')
  })

  test('variables that nobody knows are not: an orchestrator adds its own', () => {
    expect(read({}, { CLAVIGER_SERVICE_HOST: '10.0.0.1', CLAVIGER_KEY: 'x' }).port).toBe(2528)
  })

  test.each([
    ['port', '65536'],
    ['port', '-1'],
    ['port', '1.5'],
    ['port', 'tcp://10.0.0.1:2528'],
    ['logLevel', 'loud'],
    ['database', 'postgres://localhost'],
    ['database', 'sqlite:'],
    ['publicUrl', 'ftp://example.com'],
    ['insecureHttp', 'yes'],
    ['host', ''],
  ])('%s: %s', (name, value) => {
    expect(detailOf(() => read({ [name]: value }))).toContain('`--')
  })

  test('a value of the file that has another type', () => {
    for (const content of [
      { port: '2528' },
      { trustProxy: '10.0.0.0/8' },
      { insecureHttp: 'true' },
      { host: null },
    ]) {
      writeFileSync(file, JSON.stringify(content))
      const refused = () => read()
      // Text is read as a flag's would be; nothing else is.
      if ('host' in content) expect(detailOf(refused)).toContain('host in claviger.json')
      else expect(refused).not.toThrow()
    }
  })

  test('a file that is no JSON object', () => {
    for (const content of ['', '[]', 'null', '{', '"x"']) {
      writeFileSync(file, content)
      expect(detailOf(() => read())).toContain('claviger.json is not a JSON object')
    }
  })

  test('a certificate without its key, and the other way around', () => {
    expect(detailOf(() => read({ tlsCert: 'a.pem' }))).toContain('together')
    expect(detailOf(() => read({ tlsKey: 'a.pem' }))).toContain('together')
  })

  test.each(['10.0.0.1/8', '10.0.0', 'loopback', '0.0.0.0/33', ''])('the proxy %j', (block) => {
    expect(detailOf(() => read({ trustProxy: block }))).toContain('trust-proxy')
  })

  test.each(['https://', 'https://a.example?x=1', 'https://a.example/#x', 'https://u:p@a.example'])(
    'the public URL %s',
    (publicUrl) => {
      expect(detailOf(() => read({ publicUrl }))).toContain('public-url')
    },
  )
})
