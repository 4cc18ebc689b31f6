import { describe, expect, test } from 'vitest'
import { type Configuration, completeConfiguration } from './configuration.ts'
import { checkListenAddress } from './plain-http-rule.ts'

const check = (settings: Partial<Configuration>) => checkListenAddress(completeConfiguration(settings, '/'))
const publicUrl = 'https://auth.example.com'
const tls = { tlsCert: 'cert.pem', tlsKey: 'key.pem' }

test.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'])(
  'plain HTTP is served on %s, which is this machine alone',
  async (host) => {
    await expect(check({ host })).resolves.toBeUndefined()
  },
)

describe.each([
  '0.0.0.0',
  '::',
  '192.0.2.1',
  '10.0.0.1',
  '::ffff:10.0.0.1',
  '2001:db8::1',
  'no.such.name.invalid',
])('plain HTTP on %s', (host) => {
  test('is refused, with what to do', async () => {
    for (const settings of [{ host }, { host, publicUrl }]) {
      await expect(check(settings)).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringMatching(/--tls-cert.*--trust-proxy.*--insecure-http/),
      })
    }
  })

  test('is served when TLS is given, a proxy is named, or the operator means it', async () => {
    for (const settings of [tls, { trustProxy: ['10.0.0.0/8'] }, { insecureHttp: true }]) {
      await expect(check({ host, publicUrl, ...settings })).resolves.toBeUndefined()
    }
  })

  test('needs a public URL, because clients reach it by another address', async () => {
    for (const settings of [{ trustProxy: ['10.0.0.0/8'] }, { insecureHttp: true }]) {
      await expect(check({ host, ...settings })).rejects.toMatchObject({
        message: expect.stringContaining('--public-url'),
      })
    }
  })
})

test('with TLS an address is its own issuer, unless it means every interface', async () => {
  await expect(check({ host: '192.0.2.1', ...tls })).resolves.toBeUndefined()
  await expect(check({ host: '::', ...tls })).rejects.toMatchObject({
    message: expect.stringContaining('--public-url'),
  })
})
