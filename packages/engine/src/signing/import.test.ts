import { execFileSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { calculateJwkThumbprint, createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AUDIENCE,
  codeOfToken,
  type KeyringPlace,
  kidOf,
  openKeyringPlace,
  publishedKids,
} from '../../test/keyring-place.ts'
import type { Project } from '../project.ts'
import { PUBLISH_AHEAD_SECONDS } from './publication.ts'

const SECRET = Buffer.alloc(32, 7).toString('base64url')
const PASSPHRASE = 'correct horse battery staple'

let here: KeyringPlace
let count = 0

beforeAll(async () => {
  here = await openKeyringPlace()
})
afterAll(() => here.close())

/** A project of its own, without a key of any algorithm but RS256. */
async function project(): Promise<Project> {
  const { name } = await here.engine.projects().create({ name: `import-${++count}` })
  return here.engine.project(name)
}

async function faultOf(input: unknown): Promise<string> {
  const error: unknown = await (await project()).signingKeys.create(input).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'invalid_request' })
  return error instanceof Error ? error.message : ''
}

/** Mints with the imported key, and has the token checked here and by jose, from the JWKS. */
async function expectToSign(place: Project, algorithm: string, kid: string): Promise<void> {
  const { credential } = await place.tokens.mint({ subject: 'alice', audience: AUDIENCE, algorithm })
  expect(kidOf(credential)).toBe(kid)
  expect((await place.verify({ credential, require: { audience: AUDIENCE } })).ok).toBe(true)
  const keys = createLocalJWKSet(await place.jwks())
  expect((await jwtVerify(credential, keys)).protectedHeader).toMatchObject({ alg: algorithm, kid })
}

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch {
    return false
  }
})()

function openssl(args: string, input?: string): string {
  return execFileSync('openssl', args.split(' '), {
    ...(input === undefined ? {} : { input }),
    stdio: 'pipe',
  }).toString()
}

const RSA = 'genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048'
const EC = 'genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256'
const ENCRYPT = `pkcs8 -topk8 -v2 aes-256-cbc -passout pass:${PASSPHRASE.replaceAll(' ', '_')}`

describe.skipIf(!hasOpenssl)('a key that openssl made (needs openssl)', () => {
  const passphrase = PASSPHRASE.replaceAll(' ', '_')

  test.each([
    ['RS256', 'PKCS #8', () => openssl(RSA), undefined],
    ['RS256', 'PKCS #1', () => openssl('rsa -traditional', openssl(RSA)), undefined],
    ['RS256', 'encrypted PKCS #8', () => openssl(ENCRYPT, openssl(RSA)), passphrase],
    [
      'RS256',
      'encrypted PKCS #1',
      () => openssl(`rsa -traditional -aes256 -passout pass:${passphrase}`, openssl(RSA)),
      passphrase,
    ],
    ['ES256', 'PKCS #8', () => openssl(EC), undefined],
    ['ES256', 'SEC 1 after its parameters', () => openssl('ecparam -name prime256v1 -genkey'), undefined],
    ['ES256', 'encrypted PKCS #8', () => openssl(ENCRYPT, openssl(EC)), passphrase],
    ['Ed25519', 'PKCS #8', () => openssl('genpkey -algorithm ed25519'), undefined],
    [
      'Ed25519',
      'encrypted PKCS #8',
      () => openssl(ENCRYPT, openssl('genpkey -algorithm ed25519')),
      passphrase,
    ],
  ])('for %s as %s signs here', async (algorithm, _format, make, withPassphrase) => {
    const place = await project()
    const key = make()
    const imported = await place.signingKeys.create({
      algorithm,
      key,
      status: 'active',
      ...(withPassphrase === undefined ? {} : { passphrase: withPassphrase }),
    })
    await expectToSign(place, algorithm, imported.id)
    const pem =
      withPassphrase === undefined
        ? openssl('pkey -pubout', key)
        : openssl(`pkey -pubout -passin pass:${withPassphrase}`, key)
    expect(imported.publicPem).toBe(pem)
  })

  test.each([
    ['scrypt', `pkcs8 -topk8 -scrypt -passout pass:${passphrase}`, 'encrypted in a way'],
    [
      'PKCS #12 key derivation',
      `pkcs8 -topk8 -v1 PBE-SHA1-3DES -passout pass:${passphrase}`,
      'encrypted in a way',
    ],
    ['three million rounds', `${ENCRYPT} -iter 3000000`, 'stretched more than'],
  ])('that is encrypted with %s is refused before any work is done', async (_what, args, reason) => {
    const key = openssl(args, openssl(EC))
    const before = performance.now()
    expect(await faultOf({ algorithm: 'ES256', key, passphrase })).toContain(reason)
    // Making the project takes some of it; three million rounds take seconds.
    expect(performance.now() - before).toBeLessThan(2_000)
  })
})

describe('a key that jose made', () => {
  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'Ed25519', 'ML-DSA-65'])(
    'for %s as a JWK signs here, and keeps its kid',
    async (algorithm) => {
      const place = await project()
      const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
      const jwk = {
        ...(await exportJWK(privateKey)),
        kid: `theirs.${algorithm}/1`,
        alg: algorithm,
        use: 'sig',
      }
      const imported = await place.signingKeys.create({ algorithm, key: jwk, status: 'active' })
      expect(imported.id).toBe(`theirs.${algorithm}/1`)
      await expectToSign(place, algorithm, imported.id)
      expect(await place.signingKeys.read(imported.id)).toEqual(imported)
    },
  )

  test('is named by its thumbprint where nothing names it, and may come as text', async () => {
    const place = await project()
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(privateKey)
    const imported = await place.signingKeys.create({ algorithm: 'ES256', key: JSON.stringify(jwk) })
    expect(imported.id).toBe(await calculateJwkThumbprint(jwk))
  })
})

function pemOf(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString()
}

const ecKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const rsaJwk = rsaKey.export({ format: 'jwk' })

test('a secret for HS256 is imported as a JWK, and stands in no answer and in no JWKS', async () => {
  const place = await project()
  const key = { kty: 'oct', k: SECRET, kid: 'shared', alg: 'HS256' }
  const imported = await place.signingKeys.create({ algorithm: 'HS256', key, status: 'active' })
  expect(imported).toMatchObject({
    id: 'shared',
    status: 'active',
    publicJwk: { kty: 'oct' },
    publicPem: null,
  })
  const { credential } = await place.tokens.mint({ subject: 'a', audience: AUDIENCE, algorithm: 'HS256' })
  expect(kidOf(credential)).toBe('shared')
  expect((await place.verify({ credential, require: { audience: AUDIENCE } })).ok).toBe(true)
  await jwtVerify(credential, Buffer.from(SECRET, 'base64url'), {
    currentDate: new Date(here.clock.nowMs()),
  })
  expect(JSON.stringify([imported, await place.jwks()])).not.toContain(SECRET)
  expect((await place.jwks()).keys.map(({ kid }) => kid)).not.toContain('shared')
})

describe('an import is refused', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey
  const otherRsaJwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
  const encrypted = ecKey
    .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: PASSPHRASE })
    .toString()
  const publicPem = generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' })

  test.each<[string, Record<string, unknown>, string]>([
    ['for weak RSA', { algorithm: 'RS256', key: pemOf(weak) }, 'modulus of 2048 to 8192 bits'],
    ['for another curve', { algorithm: 'ES256', key: pemOf(otherCurve) }, 'type or curve'],
    ['for another type', { algorithm: 'Ed25519', key: pemOf(ecKey) }, 'type or curve'],
    ['for RSA that is bound to PSS', { algorithm: 'RS256', key: pemOf(pss) }, 'its type is another'],
    ['for a public key', { algorithm: 'Ed25519', key: publicPem }, 'neither a JWK nor a private key'],
    ['for text that is nothing', { algorithm: 'RS256', key: 'secret' }, 'neither a JWK nor'],
    ['for two keys', { algorithm: 'ES256', key: pemOf(ecKey) + pemOf(ecKey) }, 'more than one private key'],
    [
      'for a PEM with nothing in it',
      { algorithm: 'ES256', key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----' },
      'no private key that can be read',
    ],
    [
      'for OpenSSH',
      {
        algorithm: 'ES256',
        key: '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----',
      },
      'another format',
    ],
    ['without its passphrase', { algorithm: 'ES256', key: encrypted }, 'give its passphrase'],
    ['with a wrong one', { algorithm: 'ES256', key: encrypted, passphrase: 'wrong' }, 'does not open'],
    [
      'with one too many',
      { algorithm: 'ES256', key: pemOf(ecKey), passphrase: 'x' },
      'leave the passphrase out',
    ],
    [
      'for a public JWK',
      { algorithm: 'RS256', key: { kty: 'RSA', n: rsaJwk.n, e: rsaJwk.e } },
      'no private key',
    ],
    ['for a set', { algorithm: 'RS256', key: { keys: [rsaJwk] } }, 'a set of keys'],
    [
      'for a JWK with a member twice',
      { algorithm: 'RS256', key: '{"kty":"RSA","kty":"EC","d":"x"}' },
      'strict',
    ],
    ['for a secret', { algorithm: 'RS256', key: { kty: 'oct', k: SECRET } }, 'no private key'],
    ['for a secret that is short', { algorithm: 'HS256', key: { kty: 'oct', k: 'c2VjcmV0' } }, '32 bytes'],
    ['for a secret of padding', { algorithm: 'HS256', key: { kty: 'oct', k: `${SECRET}=` } }, 'base64url'],
    ['for a secret as PEM', { algorithm: 'HS256', key: pemOf(ecKey) }, 'as a JWK'],
    ['for a private key', { algorithm: 'HS256', key: rsaJwk }, 'as a JWK'],
    [
      'for another MAC',
      { algorithm: 'HS256', key: { kty: 'oct', k: SECRET, alg: 'HS512' } },
      'another algorithm',
    ],
    [
      'for a secret that encrypts',
      { algorithm: 'HS256', key: { kty: 'oct', k: SECRET, use: 'enc' } },
      'not meant',
    ],
    ['for another alg', { algorithm: 'RS256', key: { ...rsaJwk, alg: 'RS512' } }, 'another algorithm'],
    ['for encryption', { algorithm: 'RS256', key: { ...rsaJwk, use: 'enc' } }, 'not meant for signatures'],
    ['for other work', { algorithm: 'RS256', key: { ...rsaJwk, key_ops: ['verify'] } }, 'not meant to sign'],
    [
      'whose halves are of two keys',
      { algorithm: 'RS256', key: { ...rsaJwk, n: otherRsaJwk.n } },
      'does not belong to its public part',
    ],
    [
      'with two names',
      { algorithm: 'RS256', key: { ...rsaJwk, kid: 'a' }, kid: 'b' },
      'another `kid` than the one asked for',
    ],
    ['with a name of spaces', { algorithm: 'RS256', key: { ...rsaJwk, kid: 'a b' } }, 'printable ASCII'],
    ['of nothing, with a name', { algorithm: 'RS256', kid: 'a' }, '`kid` is for a key that is imported'],
  ])('%s, and repeats nothing of it', async (_what, input, reason) => {
    const fault = await faultOf(input)
    expect(fault).toContain(reason)
    for (const secret of [rsaJwk.d, ecKey.export({ format: 'jwk' }).d, SECRET, PASSPHRASE, 'AAAA']) {
      expect(fault).not.toContain(secret)
    }
  })

  test('the second time, by its name and by the key itself', async () => {
    const place = await project()
    const { signingKeys } = place
    const key = pemOf(ecKey)
    await signingKeys.create({ algorithm: 'ES256', key, kid: 'theirs' })
    const again = (input: object) => signingKeys.create({ algorithm: 'ES256', status: 'active', ...input })
    await expect(again({ key, kid: 'another' })).rejects.toMatchObject({
      code: 'already_exists',
      message: expect.stringContaining('under the kid theirs'),
    })
    const other = pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    await expect(again({ key: other, kid: 'theirs' })).rejects.toMatchObject({
      code: 'already_exists',
      message: expect.stringContaining('another key with this kid'),
    })
    await expect(signingKeys.create({ algorithm: 'ES256', key: other })).rejects.toMatchObject({
      code: 'already_exists',
      message: expect.stringContaining('a next key'),
    })
    expect((await signingKeys.list({ algorithm: 'ES256' })).items).toHaveLength(1)
  })
})

/** A token as another program would sign it with the key `theirs-1`: it knows nothing of positions. */
function signElsewhere({ name }: Project, ttlSeconds: number): string {
  const now = Math.floor(here.clock.nowMs() / 1000)
  const issuer = `https://auth.example.com/p/${name}`
  const claims = { iss: issuer, sub: 'alice', aud: AUDIENCE, iat: now - 60, exp: now + ttlSeconds, jti: '1' }
  const text = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${text({ alg: 'ES256', typ: 'at+jwt', kid: 'theirs-1' })}.${text(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: ecKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

describe('an imported key', () => {
  test('verifies the tokens that are out, and theirs go on where it never signs here', async () => {
    const place = await project()
    const imported = await place.signingKeys.create({
      algorithm: 'ES256',
      key: pemOf(ecKey),
      kid: 'theirs-1',
      status: 'retiring',
      tokensUntil: '2027-01-08T00:00:00Z',
    })
    expect(imported).toMatchObject({ status: 'retiring', retiresAt: '2027-01-08T00:00:00.000Z' })
    const credential = signElsewhere(place, 60)
    expect(await place.verify({ credential, require: { audience: AUDIENCE } })).toMatchObject({ ok: true })
    await expect(
      place.tokens.mint({ subject: 'alice', audience: AUDIENCE, algorithm: 'ES256' }),
    ).resolves.not.toBeNull()
    const { items } = await place.signingKeys.list({ algorithm: 'ES256', status: 'active' })
    expect(items[0]?.id).not.toBe('theirs-1')
  })

  test('with tokens that live a week: a revocation is remembered for as long (V7)', async () => {
    const place = await project()
    const day = 86_400_000
    await place.signingKeys.create({
      algorithm: 'ES256',
      key: pemOf(ecKey),
      kid: 'theirs-1',
      status: 'retiring',
      tokensUntil: new Date(here.clock.nowMs() + 7 * day).toISOString(),
    })
    const credential = signElsewhere(place, 7 * 86_400)
    const verdict = () => place.verify({ credential, require: { audience: AUDIENCE } })
    expect(await verdict()).toMatchObject({ ok: true })
    await place.revocations.create({ subject: 'alice' })
    expect(await verdict()).toMatchObject({ code: 'revoked' })
    await here.restart(3 * day)
    const again = here.engine.project(place.name)
    const later = await again.verify({ credential, require: { audience: AUDIENCE } })
    expect(later).toMatchObject({ ok: false, code: 'revoked' })
  })

  test('becomes the next key unless it is asked otherwise, and takes over at a rotation', async () => {
    const { engine } = here
    const { signingKeys } = engine.project('default')
    const imported = await signingKeys.create({ algorithm: 'RS256', key: pemOf(rsaKey), kid: 'theirs' })
    expect(imported).toMatchObject({ id: 'theirs', status: 'next' })
    expect(await publishedKids(engine)).toContain('theirs')
    await signingKeys.rotate()
    await here.pass(PUBLISH_AHEAD_SECONDS * 1000)
    const { credential } = await engine.project('default').tokens.mint({ subject: 'a', audience: AUDIENCE })
    expect(kidOf(credential)).toBe('theirs')
    expect(await codeOfToken(engine, credential)).toBe('ok')
  })

  test('may have the kid that another project gave another key, and neither signs for the other', async () => {
    const [one, two] = [await project(), await project()]
    for (const place of [one, two]) {
      const key = pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
      await place.signingKeys.create({ algorithm: 'ES256', key, kid: 'key-1', status: 'active' })
    }
    for (const place of [one, two, one]) await expectToSign(place, 'ES256', 'key-1')
  })

  test('stands in no file of the database in the clear, nor does its passphrase', async () => {
    const place = await project()
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const encrypted = key.export({
      format: 'pem',
      type: 'pkcs8',
      cipher: 'aes-256-cbc',
      passphrase: PASSPHRASE,
    })
    const { id } = await place.signingKeys.create({
      algorithm: 'ES256',
      key: encrypted,
      passphrase: PASSPHRASE,
    })
    const files = readdirSync(here.folder).filter((name) => name.startsWith('claviger.db'))
    const stored = Buffer.concat(files.map((name) => readFileSync(join(here.folder, name))))
    const { d = '' } = createPrivateKey({ key: encrypted, passphrase: PASSPHRASE }).export({ format: 'jwk' })
    const secrets = [
      Buffer.from(d),
      Buffer.from(d, 'base64url'),
      key.export({ format: 'der', type: 'pkcs8' }),
      Buffer.from(PASSPHRASE),
      Buffer.from(encrypted.toString().split('\n')[1] ?? ''),
    ]
    for (const secret of secrets) expect(stored.includes(secret)).toBe(false)
    // The same search finds what is there.
    expect(stored.includes(Buffer.from(id))).toBe(true)
  })
})
