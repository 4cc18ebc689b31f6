import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, startServer } from './command-line.ts'

const PASSPHRASE = 'correct horse battery staple'

let place: Place

beforeAll(async () => {
  place = await startServer()
})
afterAll(() => place.remove())

function pem(passphrase?: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }
  return privateKey.export({ format: 'pem', type: 'pkcs8', ...encryption }).toString()
}

async function kidOfToken(algorithm: string): Promise<string> {
  const args = ['tokens', 'mint', 'alice', '--audience', 'a', '--algorithm', algorithm]
  const { credential } = await place.json(args)
  return JSON.parse(Buffer.from(credential.split('.')[0], 'base64url').toString()).kid
}

test('a key is rotated, shown, exported and retired, and the next one signs', async () => {
  const { items } = await place.json(['signing-keys', 'list', '--status', 'active'])
  const [{ id }] = items
  const next = await place.json(['signing-keys', 'rotate'])
  expect(next).toMatchObject({ algorithm: 'RS256', status: 'next' })
  const shown = await place.run(['signing-keys', 'show', next.id])
  expect(shown.stdout).toMatch(/will sign from +20/)
  expect(shown.stdout).toContain('-----BEGIN PUBLIC KEY-----')
  const list = await place.run(['signing-keys', 'list'])
  expect(list.stdout).toMatch(/^ID +ALGORITHM +STATUS +PUBLISHED +SIGNS FROM +UNTIL +RETIRED$/m)

  expect((await place.run(['signing-keys', 'export', id])).stdout).toMatch(
    /^-----BEGIN PUBLIC KEY-----\n[^-]+\n-----END PUBLIC KEY-----\n$/,
  )
  const jwk = JSON.parse((await place.run(['signing-keys', 'export', id, '--format', 'jwk'])).stdout)
  expect(jwk).toMatchObject({ kty: 'RSA', kid: id, use: 'sig' })
  expect(jwk).not.toHaveProperty('d')

  const retired = await place.run(['signing-keys', 'retire', id, '--reason', 'a test'])
  expect(retired.stdout).toMatch(/^Revoked, and effective at every verifier that follows the feed\.$/m)
  expect(retired.stdout).toMatch(/^JWKS readers +may accept them until 20/m)
  expect(await kidOfToken('RS256')).toBe(next.id)
  expect(await place.json(['revoke', '--signing-key-id', id])).toMatchObject({ signingKey: { id } })
})

test('a key is imported from a file, from standard input and from the environment', async () => {
  const encrypted = join(place.folder, 'key.pem')
  const passphraseFile = join(place.folder, 'passphrase.txt')
  writeFileSync(encrypted, pem(PASSPHRASE))
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`)
  const command = ['signing-keys', 'import', '--algorithm', 'ES256', '--status', 'active']
  const first = await place.json([...command, encrypted, '--passphrase-file', passphraseFile, '--kid', 'one'])
  expect(first).toMatchObject({ id: 'one', status: 'active' })
  expect(await kidOfToken('ES256')).toBe('one')

  await place.json([...command, '-', '--kid', 'two'], { input: pem() })
  expect(await kidOfToken('ES256')).toBe('two')

  const environment = { CLAVIGER_SIGNING_KEY: pem(PASSPHRASE), CLAVIGER_PASSPHRASE: PASSPHRASE }
  await place.json([...command, '--kid', 'three'], { environment })
  expect(await kidOfToken('ES256')).toBe('three')
})

test('what is not given rightly is refused before anything is sent, and repeats no secret', async () => {
  const command = ['signing-keys', 'import', '--algorithm', 'ES256']
  for (const args of [
    command,
    [...command, 'no-such-file'],
    [...command, '-'],
    [...command, '-', '--passphrase-file', '-'],
    ['signing-keys', 'import', '-'],
    ['signing-keys', 'schedule', '--never', '--period-seconds', '86400'],
  ]) {
    const { exitCode, stdout, stderr } = await place.run(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^error: /)
  }
  const key = pem(PASSPHRASE)
  const wrong = { environment: { CLAVIGER_PASSPHRASE: 'a wrong one' }, input: key }
  const { exitCode, stderr } = await place.run([...command, '-'], wrong)
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr:
      'error: The key cannot be imported. The passphrase does not open the PEM, or what is in it is no private key. (invalid_request)\n',
  })
})

test('the schedule is shown and set', async () => {
  expect((await place.run(['signing-keys', 'schedule'])).stdout).toMatch(/^period +7776000 s$/m)
  const set = ['signing-keys', 'schedule', '--period-seconds', '2592000']
  expect(await place.json(set)).toEqual({ periodSeconds: 2_592_000, publishAheadSeconds: 600 })
  expect((await place.run(['signing-keys', 'schedule', '--never'])).stdout).toMatch(/^period +by hand$/m)
})

test('every command explains itself with an example', async () => {
  for (const name of ['list', 'show', 'create', 'rotate', 'import', 'export', 'retire', 'schedule']) {
    const { exitCode, stdout } = await place.run(['signing-keys', name, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`$ claviger signing-keys ${name}`)
  }
})

test('a server that is killed in the middle of a rotation goes on with it, and its tokens pass', async () => {
  const first = await startServer()
  const next = await first.json(['signing-keys', 'rotate'])
  const { credential } = await first.json(['tokens', 'mint', 'alice', '--audience', 'a'])
  first.server.kill('SIGKILL')
  await first.ended
  const second = await startServer(first.folder)
  expect(await second.json(['signing-keys', 'rotate'])).toEqual(next)
  expect((await second.json(['signing-keys', 'list'])).items).toHaveLength(2)
  const verdict = await second.json(['verify', '-', '--audience', 'a'], { input: credential })
  expect(verdict).toMatchObject({ ok: true })
  await second.remove()
})
