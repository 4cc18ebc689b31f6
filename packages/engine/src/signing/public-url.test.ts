import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  START_MS,
  type TestInstallation,
} from '../../test/installation.ts'
import { createProject } from '../projects/create-project.ts'
import { checkPublicUrl, currentPublicUrl, issuerOf, setPublicUrl } from './public-url.ts'

const DAY_MS = 86_400_000

describe('the public URL', () => {
  test.each([
    'https://auth.example.com',
    'https://example.com/auth',
    'http://127.0.0.1:2528',
    'http://localhost:8080',
    'http://[::1]:2528',
  ])('may be %s', (url) => {
    expect(checkPublicUrl(url)).toBe(url)
  })

  test.each([
    '',
    'auth.example.com',
    'http://auth.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'ftp://auth.example.com',
    'https://auth.example.com/',
    'https://example.com/auth/',
    'https://auth.example.com?tenant=1',
    'https://auth.example.com?',
    'https://auth.example.com#top',
    'https://auth.example.com#',
    'https://user@auth.example.com',
    'https://user:password@auth.example.com',
    'https://AUTH.example.com',
    'https://auth.example.com:443',
    'https://example.com/a/../b',
    ' https://auth.example.com',
    'https://auth.example.com\n',
    'https://auth.example.com/p/acme',
  ])('may not be %j', (url) => {
    expect(() => checkPublicUrl(url)).toThrow('The public URL')
  })

  test('is the issuer of default, and the beginning of the others', () => {
    expect(issuerOf('https://a.example', 'default')).toBe('https://a.example')
    expect(issuerOf('https://a.example', 'acme')).toBe('https://a.example/p/acme')
  })
})

describe('a change of the public URL', () => {
  let installation: TestInstallation

  beforeAll(async () => {
    installation = await openTestInstallation()
    await createProject(await installation.scope(), { name: 'acme' })
  })
  afterAll(() => installation.close())

  test('makes a new issuer in every project, and accepts the former for a day', async () => {
    const acme = await installation.scope('acme')
    await setPublicUrl(installation, 'https://old.example')
    installation.takeFacts('default')
    installation.takeFacts(acme.projectId)
    await setPublicUrl(installation, 'https://new.example')
    const acceptUntilMs = START_MS + DAY_MS
    expect(installation.takeFacts('default')).toEqual([
      {
        type: 'issuers',
        own: [
          { url: 'https://new.example', acceptUntilMs: null },
          { url: 'https://old.example', acceptUntilMs },
        ],
      },
    ])
    expect(installation.takeFacts(acme.projectId)).toEqual([
      {
        type: 'issuers',
        own: [
          { url: 'https://new.example/p/acme', acceptUntilMs: null },
          { url: 'https://old.example/p/acme', acceptUntilMs },
        ],
      },
    ])
    expect(await currentPublicUrl(installation.reader)).toBe('https://new.example')
  })

  test('to the same one is none', async () => {
    const { length } = installation.changes
    await setPublicUrl(installation, 'https://new.example')
    expect(installation.changes).toHaveLength(length)
  })

  test('back to a former one leaves one current, and forgets who expired', async () => {
    installation.clock.advance(DAY_MS)
    await setPublicUrl(installation, 'https://old.example')
    expect(installation.takeFacts('default')).toEqual([
      {
        type: 'issuers',
        own: [
          { url: 'https://old.example', acceptUntilMs: null },
          { url: 'https://new.example', acceptUntilMs: START_MS + 2 * DAY_MS },
        ],
      },
    ])
    installation.clock.advance(DAY_MS)
    await setPublicUrl(installation, 'https://third.example')
    const own = installation.takeFacts('default').flatMap((fact) => (fact.type === 'issuers' ? fact.own : []))
    expect(own.map(({ url }) => url)).toEqual(['https://third.example', 'https://old.example'])
  })

  test('is nothing that a management key may ask for', async () => {
    const url = 'https://stolen.example'
    const call = installation.writer.run('set-public-url', { url }, managementKey('key_any'))
    expect(await codeOf(call)).toBe('forbidden')
  })
})
