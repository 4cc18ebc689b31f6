import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, startServer } from './command-line.ts'

const AUDIENCE = 'https://api.example.com'

let place: Place
let token: string
let given: string[]

beforeAll(async () => {
  place = await startServer()
  const minted = await place.json(['tokens', 'mint', 'alice', '--audience', AUDIENCE, '--permissions', 'a:b'])
  token = minted.credential
  const jwks = await fetch(`${place.url}/.well-known/jwks.json`)
  writeFileSync(join(place.folder, 'jwks.json'), await jwks.text())
  given = ['--jwks', 'jwks.json', '--issuer', place.url]
})
afterAll(() => place.remove())

/** Nothing but the path: neither a server nor a key could be found. */
const OFFLINE = { environment: { CLAVIGER_URL: '', CLAVIGER_KEY: '' } }

test('a token is decoded with what each claim means, and every check that can be made here holds', async () => {
  const options = { ...OFFLINE, input: `${token}\n` }
  const { exitCode, stdout, stderr } = await place.run(
    ['inspect', '-', ...given, '--audience', AUDIENCE],
    options,
  )
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toMatch(/^A token\. Nothing was sent anywhere\.$/m)
  expect(stdout).toMatch(/^sub +alice +Whom the token speaks for/m)
  expect(stdout).toMatch(/^holds +signature /m)
  expect(stdout).toMatch(/^unchecked +revocation /m)
  expect(stdout).toContain(
    'Nothing fails of what was checked here. Not checked: revocation, enabled, rights.',
  )
  expect(stdout).not.toContain('\u001b')
  expect(stdout).not.toContain(token.split('.')[2])
})

test('what fails is named with its remedy, and ends with exit code 1; applied, the server accepts it', async () => {
  const wrong = ['inspect', ...given, '--audience', 'https://other.example', '--json']
  const { exitCode, stdout } = await place.run(wrong, {
    environment: { ...OFFLINE.environment, CLAVIGER_CREDENTIAL: `Bearer ${token}==` },
  })
  expect(exitCode).toBe(1)
  const { checks, verdict } = JSON.parse(stdout)
  const failed = checks.filter((check: { outcome: string }) => check.outcome === 'fails')
  expect(failed.map((check: { name: string }) => check.name)).toEqual([
    'characters',
    'signature_encoding',
    'audience',
  ])
  expect(verdict.code).toBe('malformed')
  const { credential } = failed[0].remedy
  const { audience } = failed[2].remedy
  expect(await place.json(['verify', '-', '--audience', audience], { input: credential })).toMatchObject({
    ok: true,
    subject: 'alice',
  })
})

test('a right spelling is not printed where there is no terminal', async () => {
  const { exitCode, stdout } = await place.run(['inspect', '-'], { ...OFFLINE, input: `Bearer ${token}` })
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/^fails +characters +It does not stand alone/m)
  expect(stdout).toContain('A verifier would answer malformed.')
  expect(stdout).not.toContain(token)
})

test('what is empty, and what is no credential at all, is inspected too', async () => {
  for (const input of ['', '\n', 'hunter2', '-----BEGIN PRIVATE KEY-----']) {
    const { exitCode, stdout, stderr } = await place.run(['inspect', '-'], { ...OFFLINE, input })
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' })
    expect(stdout).toMatch(/^fails +form /m)
  }
})

test('a claim cannot move the cursor or forge a line', async () => {
  const part = (members: object) => Buffer.from(JSON.stringify(members)).toString('base64url')
  const forged = `${part({ alg: 'none\u001b[2J' })}.${part({ iss: 'a\nholds      signature', sub: '\u001b[1A' })}.AAAA`
  const { stdout } = await place.run(['inspect', forged, '--issuer', 'x'], OFFLINE)
  expect(stdout).not.toContain('\u001b')
  expect(stdout).not.toMatch(/^holds +signature( |$)/m)
})

test.each([
  ['a JWKS that is not there', ['inspect', 'x', '--jwks', 'nowhere.json'], 'Nothing is fetched'],
  ['a file that is no JWKS', ['inspect', 'x', '--jwks', 'not.json'], 'is no JWKS'],
  ['no credential', ['inspect'], 'Give the credential'],
  ['a word that is not explained', ['tokens', 'explain', 'nothing'], 'claviger tokens explain'],
])('%s is a mistake of usage', async (_what, args, message) => {
  writeFileSync(join(place.folder, 'not.json'), '{"kty":"RSA"}')
  const { exitCode, stdout, stderr } = await place.run(args, OFFLINE)
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr).toContain(message)
})

test('a claim is explained with its source, and all are listed', async () => {
  const one = await place.run(['tokens', 'explain', 'aud'], OFFLINE)
  expect(one.stdout).toContain('Which services the token is meant for')
  expect(one.stdout).toContain('RFC 7519, section 4.1.3')
  const all = await place.run(['tokens', 'explain', '--json'], OFFLINE)
  expect(JSON.parse(all.stdout).length).toBeGreaterThan(30)
})
