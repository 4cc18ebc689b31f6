import { execFileSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { calculateJwkThumbprint, createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EMBEDDER, managementKey } from '../../test/installation.ts'
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
  test.each(['RS256', 'ES256', 'Ed25519'])(
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

describe('an import is refused', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey
  const otherRsaJwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
  const encrypted = ecKey
    .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: PASSPHRASE })
    .toString()
  const publicPem = ecKey && generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' })

  test.each<[string, Record<string, unknown>, string]>([
    ['for weak RSA', { algorithm: 'RS256', key: pemOf(weak) }, 'modulus of 2048 bits'],
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
    ['for a secret', { algorithm: 'RS256', key: { kty: 'oct', k: 'c2VjcmV0' } }, 'no private key'],
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
    for (const secret of [rsaJwk.d, ecKey.export({ format: 'jwk' }).d, PASSPHRASE, 'AAAA']) {
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
    const now = Math.floor(here.clock.nowMs() / 1000)
    const claims = {
      iss: `https://auth.example.com/p/${place.name}`,
      sub: 'alice',
      aud: AUDIENCE,
      iat: now - 60,
      exp: now + 60,
      client_id: 'theirs',
      jti: '1',
    }
    const text = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const input = `${text({ alg: 'ES256', typ: 'at+jwt', kid: 'theirs-1' })}.${text(claims)}`
    const signature = sign('sha256', Buffer.from(input), { key: ecKey, dsaEncoding: 'ieee-p1363' })
    const credential = `${input}.${signature.toString('base64url')}`
    expect(await place.verify({ credential, require: { audience: AUDIENCE } })).toMatchObject({ ok: true })
    await expect(
      place.tokens.mint({ subject: 'alice', audience: AUDIENCE, algorithm: 'ES256' }),
    ).resolves.not.toBeNull()
    const { items } = await place.signingKeys.list({ algorithm: 'ES256', status: 'active' })
    expect(items[0]?.id).not.toBe('theirs-1')
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
    const [first, second] = ['P-256', 'P-256'].map(
      (namedCurve) => generateKeyPairSync('ec', { namedCurve }).privateKey,
    )
    for (const [place, key] of [
      [one, first],
      [two, second],
    ] as const) {
      if (key === undefined) throw new Error('a key was not made')
      await place.signingKeys.create({ algorithm: 'ES256', key: pemOf(key), kid: 'key-1', status: 'active' })
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

describe('who may move signing keys (M3, M6)', () => {
  async function actorWith(input: Record<string, unknown>): Promise<Project> {
    const { id } = await here.engine.project('default').managementKeys.create({ name: 'caller', ...input })
    return here.engine.project('default', managementKey(id))
  }
  const key = pemOf(generateKeyPairSync('ed25519').privateKey)
  const calls: Readonly<Record<string, (project: Project) => Promise<unknown>>> = {
    'making one': ({ signingKeys }) => signingKeys.create({ algorithm: 'ES256' }),
    'importing one': ({ signingKeys }) => signingKeys.create({ algorithm: 'Ed25519', key }),
    'rotating a ring': ({ signingKeys }) => signingKeys.rotate(),
    'setting the schedule': ({ signingKeys }) => signingKeys.setSchedule({ periodSeconds: 86_400 }),
  }

  test.each(Object.entries(calls))('%s needs the verb and the grant *:*', async (_what, call) => {
    const without = await actorWith({ preset: 'backend', grants: ['*:*'] })
    await expect(call(without)).rejects.toMatchObject({ code: 'forbidden' })
    for (const grants of [[], ['documents:*'], ['*:read', '*:write']]) {
      const narrow = await actorWith({ verbs: ['signing-keys:write'], grants })
      await expect(call(narrow)).rejects.toMatchObject({ code: 'exceeds_grants' })
    }
    const wide = await actorWith({ verbs: ['signing-keys:write'], grants: ['*:*'] })
    await expect(call(wide)).resolves.toBeDefined()
  })

  test('retiring one needs the verb of revocations alone: it takes away', async () => {
    const { signingKeys } = here.engine.project('default', EMBEDDER)
    const { items } = await signingKeys.list({ status: 'active', algorithm: 'RS256' })
    const input = { signingKeyId: items[0]?.id }
    const writer = await actorWith({ verbs: ['signing-keys:write'], grants: ['*:*'] })
    await expect(writer.revocations.create(input)).rejects.toMatchObject({ code: 'forbidden' })
    const revoker = await actorWith({ verbs: ['revocations:write'] })
    expect(await revoker.revocations.create(input)).toMatchObject({ effective: true })
  })

  test('no management key has the schedule kept: that is the node alone', async () => {
    const root = here.engine.project('default', EMBEDDER)
    const audit = await root.audit.list({ action: 'signing-key.revoke' })
    expect(audit.items.every(({ actor }) => actor.startsWith('key_'))).toBe(true)
    await expect(root.signingKeys.read('nothing')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('the project of the management keys has none', async () => {
    const management = here.engine.project('claviger')
    for (const call of Object.values(calls)) {
      await expect(call(management)).rejects.toMatchObject({ code: 'invalid_request' })
    }
  })
})
