import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch {
    return false
  }
})()

let folder: string

beforeAll(() => {
  if (!hasOpenssl) return
  folder = mkdtempSync(join(tmpdir(), 'claviger-certificates-'))
  for (const name of ['first', 'second']) {
    execFileSync('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
      ],
      ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'],
      ...['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)],
    ])
  }
})
afterAll(() => {
  if (hasOpenssl) rmSync(folder, { recursive: true })
})

/** A server that shows `first`, from files of its own. */
async function serve(): Promise<TestServer & { tlsCert: string; tlsKey: string; stop(): Promise<void> }> {
  const own = mkdtempSync(join(folder, 'live-'))
  const [tlsCert, tlsKey] = [join(own, 'tls.crt'), join(own, 'tls.key')]
  copyFileSync(join(folder, 'first.crt'), tlsCert)
  copyFileSync(join(folder, 'first.key'), tlsKey)
  const claviger = await startTestServer({ tlsCert, tlsKey })
  return { ...claviger, tlsCert, tlsKey, stop: () => claviger.close() }
}

/** The name in the certificate that a new connection is shown. */
function shownName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

/** Calls over a connection that is kept, and answers with the name in its certificate. */
function caller(port: number): { call(): Promise<string>; close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
  return {
    call: () =>
      new Promise((resolve, reject) => {
        const call = request({ port, host: '127.0.0.1', path: '/readyz', agent }, (response) => {
          const { socket } = response
          const name = 'getPeerCertificate' in socket ? socket.getPeerCertificate : undefined
          response.resume().on('end', () => resolve(typeof name === 'function' ? nameOf(socket) : ''))
        })
        call.on('error', reject)
        call.end()
      }),
    close: () => agent.destroy(),
  }
}

function nameOf(socket: object): string {
  const { getPeerCertificate } = socket as { getPeerCertificate(): { subject: { CN: string } } }
  return getPeerCertificate.call(socket).subject.CN
}

const wait = { timeout: 10_000, interval: 20 }

test.skipIf(!hasOpenssl)(
  'a renewed certificate is shown to who comes then, and cuts nobody off (needs openssl)',
  async () => {
    const claviger = await serve()
    const kept = caller(claviger.port)
    expect(await kept.call()).toBe('first')
    copyFileSync(join(folder, 'second.crt'), claviger.tlsCert)
    copyFileSync(join(folder, 'second.key'), claviger.tlsKey)
    await vi.waitFor(async () => expect(await shownName(claviger.port)).toBe('second'), wait)
    expect(await kept.call()).toBe('first')
    expect(claviger.lines.join('')).toContain('The TLS certificate was renewed.')
    kept.close()
    await claviger.stop()
  },
)

test.skipIf(!hasOpenssl)('a new link in place of the file is noticed too (needs openssl)', async () => {
  const claviger = await serve()
  for (const [name, file] of [
    ['second.key', claviger.tlsKey],
    ['second.crt', claviger.tlsCert],
  ] as const) {
    symlinkSync(join(folder, name), `${file}.new`)
    renameSync(`${file}.new`, file)
  }
  await vi.waitFor(async () => expect(await shownName(claviger.port)).toBe('second'), wait)
  await claviger.stop()
})

test.skipIf(!hasOpenssl)(
  'a pair that does not serve is told once in the log, without the key, and the one before is kept',
  async () => {
    const claviger = await serve()
    const complaints = () => claviger.lines.filter((line) => line.includes('was not renewed')).length
    for (const [cert, key] of [
      ['second.crt', 'first.key'],
      ['first.key', 'first.crt'],
    ] as const) {
      const before = complaints()
      copyFileSync(join(folder, cert), claviger.tlsCert)
      copyFileSync(join(folder, key), claviger.tlsKey)
      claviger.server.reloadCertificate()
      claviger.server.reloadCertificate()
      expect(complaints()).toBe(before + 1)
      expect(await shownName(claviger.port)).toBe('first')
    }
    writeFileSync(claviger.tlsCert, '')
    rmSync(claviger.tlsKey)
    claviger.server.reloadCertificate()
    expect(await shownName(claviger.port)).toBe('first')
    expect(claviger.lines.join('')).not.toContain('PRIVATE KEY')

    copyFileSync(join(folder, 'second.crt'), claviger.tlsCert)
    copyFileSync(join(folder, 'second.key'), claviger.tlsKey)
    claviger.server.reloadCertificate()
    expect(await shownName(claviger.port)).toBe('second')
    await claviger.stop()
  },
)

test.skipIf(!hasOpenssl)('a pair that does not fit refuses the start (needs openssl)', async () => {
  const tlsCert = join(folder, 'first.crt')
  const tlsKey = join(folder, 'second.key')
  await expect(startTestServer({ tlsCert, tlsKey })).rejects.toMatchObject({ code: 'invalid_request' })
})

test('without TLS there is no certificate to reload', async () => {
  const claviger = await startTestServer()
  expect(claviger.server.reloadCertificate()).toBeUndefined()
  await claviger.close()
})
