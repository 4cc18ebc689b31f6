import { execFileSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, test, vi } from 'vitest'
import { makeFolder, startServer } from './command-line.ts'

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch {
    return false
  }
})()

function makePair(folder: string, name: string): void {
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'],
    ...['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)],
  ])
}

function shownName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

test.skipIf(!hasOpenssl)('a hangup reloads the certificate and ends nothing (needs openssl)', async () => {
  const folder = makeFolder()
  for (const name of ['first', 'second']) makePair(folder, name)
  const show = (name: string): void => {
    for (const end of ['crt', 'key']) copyFileSync(join(folder, `${name}.${end}`), join(folder, `tls.${end}`))
  }
  show('first')
  writeFileSync(join(folder, 'claviger.json'), '{"tlsCert": "tls.crt", "tlsKey": "tls.key"}')
  const place = await startServer(folder)
  const port = Number(new URL(place.url).port)
  expect(await shownName(port)).toBe('first')
  show('second')
  place.server.kill('SIGHUP')
  await vi.waitFor(async () => expect(await shownName(port)).toBe('second'), { timeout: 10_000 })
  expect(place.server.exitCode).toBeNull()
  await place.remove()
})
