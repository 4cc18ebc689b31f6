import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALGORITHMS, type AlgorithmTraits, type SigningAlgorithm } from '@claviger/verify'
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { createProject } from '../projects/create-project.ts'
import { addSigningKey } from './add-signing-key.ts'
import { readJwks } from './jwks.ts'
import { Keyring } from './keyring.ts'
import { listSigningKeys } from './list-signing-keys.ts'
import { makeSigningKey, signingKeyPlace } from './make-signing-key.ts'
import { signToken } from './sign-token.ts'

const EVERY_ALGORITHM = Object.keys(ALGORITHMS) as SigningAlgorithm[]
const SYMMETRIC = EVERY_ALGORITHM.filter((name) => (ALGORITHMS[name] as AlgorithmTraits).symmetric)
const ASYMMETRIC = EVERY_ALGORITHM.filter((name) => !SYMMETRIC.includes(name))

let installation: TestInstallation

beforeAll(async () => {
  installation = await openTestInstallation()
})
afterAll(() => installation.close())

describe('a signing key', () => {
  test.each(ASYMMETRIC)('for %s is named by its thumbprint (RFC 7638)', async (algorithm) => {
    const key = await makeSigningKey(installation, 'default', algorithm)
    expect(key.id).toBe(await calculateJwkThumbprint(key.publicJwk))
    expect(Object.keys(key.publicJwk)).not.toContain('d')
    expect(Object.keys(key.publicJwk)).not.toContain('priv')
  })

  test.each(SYMMETRIC)(
    'for %s has no public part, and a name that is not its thumbprint',
    async (algorithm) => {
      const key = await makeSigningKey(installation, 'default', algorithm)
      const secret = installation.sealer.open(signingKeyPlace('default', key.id), key.privateSealed)
      expect(key.publicJwk).toEqual({ kty: 'oct' })
      expect(secret).toHaveLength(32)
      const k = Buffer.from(secret).toString('base64url')
      expect(key.id).toMatch(/^[\w-]{43}$/)
      expect([k, await calculateJwkThumbprint({ kty: 'oct', k })]).not.toContain(key.id)
      expect((await makeSigningKey(installation, 'default', algorithm)).id).not.toBe(key.id)
    },
  )

  test('does not open in the place of another, nor in another project', async () => {
    const key = await makeSigningKey(installation, 'default', 'Ed25519')
    const open = (projectId: string, id: string) =>
      installation.sealer.open(signingKeyPlace(projectId, id), key.privateSealed)
    expect(open('default', key.id).length).toBeGreaterThan(0)
    expect(() => open('other', key.id)).toThrow('does not open')
    expect(() => open('default', 'another')).toThrow('does not open')
  })

  test('stands in no file of the database in the clear', async () => {
    const scope = await installation.scope()
    for (const algorithm of ['Ed25519', 'HS256'] as const) {
      await new Keyring(installation).begin({ projectId: scope.projectId, algorithm })
    }
    const rows = await installation.reader.selectFrom('signing_keys').selectAll().execute()
    const keyring = new Keyring(installation)
    const files = readdirSync(installation.folder).filter((name) => name.startsWith('claviger.db'))
    const stored = Buffer.concat(files.map((name) => readFileSync(join(installation.folder, name))))
    expect(rows.length).toBeGreaterThanOrEqual(3)
    for (const { id, project_id: projectId } of rows) {
      const { privateKey } = await keyring.open(projectId, id)
      const jwk = privateKey.export({ format: 'jwk' })
      const secret = jwk.d ?? jwk.k ?? ''
      const secrets = [
        ...(privateKey.type === 'private' ? [privateKey.export({ format: 'der', type: 'pkcs8' })] : []),
        Buffer.from(secret, 'base64url'),
        Buffer.from(secret),
        Buffer.from(Buffer.from(secret, 'base64url').toString('base64')),
        Buffer.from(Buffer.from(secret, 'base64url').toString('hex')),
      ]
      for (const secret of secrets) {
        expect(secret.length).toBeGreaterThan(16)
        expect(stored.includes(secret)).toBe(false)
      }
      // The same search finds what is there.
      expect(stored.includes(Buffer.from(id))).toBe(true)
    }
  })

  test('is opened once by a process, and not at all in the name of another project', async () => {
    const scope = await installation.scope()
    const [first] = (await listSigningKeys(scope)).items
    const keyring = new Keyring(installation)
    const opened = await keyring.open(scope.projectId, first?.id ?? '')
    expect(await keyring.open(scope.projectId, first?.id ?? '')).toBe(opened)
    expect(await codeOf(new Keyring(installation).open('other', first?.id ?? ''))).toBe('internal')
  })

  test.each(ASYMMETRIC)('of %s signs what jose accepts through the JWKS', async (algorithm) => {
    const { projectId } = await installation.scope()
    const keyring = new Keyring(installation)
    const key = await keyring.open(projectId, await keyring.begin({ projectId, algorithm }))
    const token = await signToken(key, JSON.stringify({ sub: 'somebody' }))
    const { payload, protectedHeader } = await jwtVerify(
      token,
      createLocalJWKSet(await readJwks(installation.reader, projectId)),
    )
    expect(payload).toEqual({ sub: 'somebody' })
    expect(protectedHeader).toEqual({ alg: algorithm, typ: 'at+jwt', kid: key.id })
  })

  test('signs no token that is longer than any verifier takes, to the byte', async () => {
    const { projectId } = await installation.scope()
    const keyring = new Keyring(installation)
    const key = await keyring.open(projectId, await keyring.begin({ projectId, algorithm: 'ES256' }))
    const lengths = new Set<number>()
    for (let size = 5900; size < 6100; size++) {
      const token = await signToken(key, JSON.stringify('x'.repeat(size))).catch(() => undefined)
      if (token !== undefined) lengths.add(token.length)
    }
    expect(Math.max(...lengths)).toBeLessThanOrEqual(8192)
    expect(Math.max(...lengths)).toBeGreaterThan(8188)
    expect(await codeOf(signToken(key, JSON.stringify('x'.repeat(6100))))).toBe('invalid_request')
  })
})

describe('a keyring', () => {
  test('is one after many parallel first demands, of one process and of several', async () => {
    await createProject(await installation.scope(), { name: 'other-project' })
    const other = await installation.scope('other-project')
    const ring = { projectId: other.projectId, algorithm: 'ES256' } as const
    const keyring = new Keyring(installation)
    const ids = await Promise.all([
      ...Array.from({ length: 8 }, () => keyring.begin(ring)),
      // Without what one process shares: as if from others.
      ...Array.from({ length: 8 }, () => addSigningKey(installation, ring)),
    ])
    expect(new Set(ids).size).toBe(1)
    const { items } = await listSigningKeys(other)
    expect(items.filter(({ algorithm }) => algorithm === 'ES256')).toHaveLength(1)
  })

  test('of another algorithm begins without a trace of the key pairs that lost', async () => {
    const other = await installation.scope('other-project')
    const told = installation.takeFacts(other.projectId).filter(({ type }) => type === 'signing-key')
    const rows = await installation.reader
      .selectFrom('signing_keys')
      .select('id')
      .where('project_id', '=', other.projectId)
      .execute()
    expect(told).toHaveLength(rows.length)
  })

  test('is listed without its private parts, for who has the verb', async () => {
    const scope = await installation.scope()
    const { items } = await listSigningKeys(scope)
    expect(items[0]).toMatchObject({ algorithm: expect.any(String), status: 'active', retiredAt: null })
    expect(JSON.stringify(items)).not.toMatch(/"(d|p|q|private\w*)":/)
    const edge = await createManagementKey(scope, { name: 'edge', preset: 'edge' })
    expect(await codeOf(listSigningKeys({ ...scope, actor: managementKey(edge.id) }))).toBe('forbidden')
  })

  test('is published as a JWK Set with kid, alg and use (RFC 7517)', async () => {
    const { projectId } = await installation.scope()
    const { keys } = await readJwks(installation.reader, projectId)
    for (const key of keys) {
      expect(key).toMatchObject({ kid: await calculateJwkThumbprint(key), use: 'sig' })
      expect([...ASYMMETRIC, undefined]).toContain(key.alg)
      // A reader that compares `alg` with the header's would refuse one of the two names of Ed25519.
      expect(key.alg === undefined).toBe(key.crv === 'Ed25519')
      expect(key).not.toHaveProperty('d')
    }
    expect(await readJwks(installation.reader, 'claviger')).toEqual({ keys: [] })
  })
})
