import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { importPublicJwk, keyDetails, sha256 } from '../src/crypto.ts'
import * as middleware from '../src/middleware/fetch.ts'
import * as crypto from '../src/portable/crypto.ts'
import { formatInstant as portableInstant } from '../src/portable/format-instant.ts'
import { GrantTable as PortableGrants } from '../src/portable/grant-table.ts'
import * as faceOfSources from '../src/portable/index.ts'
import * as schemes from '../src/portable/signature-schemes.ts'
import { ALGORITHMS, type SigningAlgorithm } from '../src/tokens/algorithms.ts'
import { VERDICT_CODES, type Verdict } from '../src/verdict.ts'
import { formatInstant } from '../src/verifier/format-instant.ts'
import { GrantTable } from '../src/verifier/grant-table.ts'
import type { Verifier } from '../src/verifier/verifier.ts'
import { buildPortable, type PortableBuild } from './build-portable.ts'
import { AUDIENCE, accessClaims, ISSUER, makeKey, rule } from './credentials.ts'
import { judgeCorpus } from './judge-corpus.ts'
import { MemorySource } from './memory-source.ts'
import { makeCorpus } from './portable-corpus.ts'
import { TokenSigner } from './token-signer.ts'

const MAX_BYTES = 25_000
/** What may be in the bundle, by folder, or by file where the folder holds what may not. */
const MAY_HOLD =
  /^(src\/(access|changes|edge|keys|limits|middleware|portable|revocation|source|verifier|wire)\/|src\/verdict\.ts$|src\/tokens\/|..\/..\/node_modules\/@noble\/hashes\/)/
const SIGNS_OR_NEEDS_NODE =
  /^src\/(crypto|inspect\/.*|tokens\/(signature-schemes|signing-traits|rsa-pss|ml-dsa|ecdsa-signature)|middleware\/(express|fastify|node))\.ts$/
/** What the corpus has no case of. */
const SELDOM: ReadonlySet<string> = new Set(['bad_proof', 'rate_limited', 'quota_exceeded', 'unavailable'])
const ALL = Object.keys(ALGORITHMS) as SigningAlgorithm[]

const sources = { ...middleware, ...faceOfSources }

let built: PortableBuild
let portable: typeof sources

beforeAll(async () => {
  built = await buildPortable()
  const load = (name: keyof PortableBuild['files']) => import(pathToFileURL(built.files[name]).href)
  portable = { ...(await load('fetch')), ...(await load('portable')) }
})

afterAll(() => rmSync(built.folder, { recursive: true }))

describe('the bundle', () => {
  test(`is smaller than ${MAX_BYTES} bytes, compressed`, () => {
    expect(gzipSync(readFileSync(built.files.portable), { level: 9 }).length).toBeLessThan(MAX_BYTES)
  })

  test.each(['portable', 'fetch', 'hono'] as const)(
    'of %s knows nothing of Node, and imports nothing',
    (name) => {
      const text = readFileSync(built.files[name], 'utf8')
      expect(
        text.match(/["'`]node:|\bBuffer\b|\bprocess\.|\brequire\(|\bimport[\s{("'*]|__dirname/g),
      ).toBeNull()
    },
  )

  test('holds no code that signs, opens a secret or stores', () => {
    const modules = built.modules.map((path) => relative(`${import.meta.dirname}/..`, path))
    expect(modules).toContain('src/portable/crypto.ts')
    for (const path of modules) {
      expect(path).toMatch(MAY_HOLD)
      expect(path).not.toMatch(SIGNS_OR_NEEDS_NODE)
    }
    expect(readFileSync(built.files.portable, 'utf8')).not.toMatch(
      /pkcs8|subtle\.sign|generateKey|createHmac|\.encrypt/,
    )
  })
})

describe('the package', () => {
  test('gives the middleware of a Worker built too', () => {
    for (const name of ['fetch', 'hono']) {
      const program = `console.log(import.meta.resolve('@claviger/verify/${name}'))`
      const args = ['--conditions=workerd', '--input-type=module', '--eval', program]
      const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: import.meta.dirname })
      expect(stdout).toContain(`dist/${name}.js`)
    }
  })

  test.each([
    ['workerd', 'dist/portable.js'],
    ['edge-light', 'dist/portable.js'],
    ['worker', 'dist/portable.js'],
    ['browser', 'dist/portable.js'],
    ['node', 'src/index.ts'],
    ['deno', 'src/index.ts'],
    ['bun', 'src/index.ts'],
  ])('gives whoever asks for %s its %s', (condition, file) => {
    const program = "console.log(import.meta.resolve('@claviger/verify'))"
    const args = [`--conditions=${condition}`, '--input-type=module', '--eval', program]
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: import.meta.dirname })
    expect(stdout.trim()).toBe(pathToFileURL(join(import.meta.dirname, '..', file)).href)
  })
})

describe('run in Node, the bundle', () => {
  test('gives the verdicts of the sources on good and bad credentials of every kind', async () => {
    const corpus = makeCorpus(ALL)
    const expected = await judgeCorpus(sources, corpus)
    expect(await judgeCorpus(portable, corpus)).toEqual(expected)
    const codes = new Set(Object.values(expected).map(([verdict]) => codeOf(verdict as Verdict)))
    for (const code of Object.keys(VERDICT_CODES)) if (!SELDOM.has(code)) expect(codes).toContain(code)
  })
})

/** A token's signature takes a while here, and facts may change in it: they count as they are at the end. */
describe('while the signature of a token is checked', () => {
  const signer = new TokenSigner('ES256')
  let source: MemorySource
  let verifier: Verifier
  let credential: string

  beforeEach(async () => {
    source = new MemorySource()
    source.facts = [signer.fact, { type: 'issuers', own: [{ url: ISSUER, acceptUntilMs: null }] }]
    verifier = await portable.Verifier.open({ source, audience: AUDIENCE })
    credential = signer.token(accessClaims(source.time, source.position(), { jti: 'tok_1' }))
  })

  test('nothing is known of it, and afterwards its verdict is', async () => {
    const pending = verifier.verify({ credential })
    expect(verifier.verifyCached({ credential })).toBeUndefined()
    expect(codeOf(await pending)).toBe('ok')
    expect(codeOf(verifier.verifyCached({ credential }))).toBe('ok')
    expect(verifier.statistics().tokenChecks).toBe(1)
  })

  test('F1: it is refused when its signing key is retired meanwhile', async () => {
    const pending = verifier.verify({ credential })
    source.commit({ ...signer.fact, status: 'retired' })
    expect(codeOf(await pending)).toBe('unknown')
    expect(codeOf(await verifier.verify({ credential }))).toBe('unknown')
  })

  test('F1: it is checked anew when another key takes the name of its key meanwhile', async () => {
    const other = new TokenSigner('ES256', signer.id)
    const theirs = other.token(accessClaims(source.time, source.position()))
    const pending = [credential, theirs].map((text) => verifier.verify({ credential: text }))
    source.commit(other.fact)
    expect((await Promise.all(pending)).map(codeOf)).toEqual(['bad_signature', 'ok'])
  })

  test('F1: it passes when its signing key is told of once more', async () => {
    const pending = verifier.verify({ credential })
    source.commit({ ...signer.fact, status: 'retiring' })
    expect(codeOf(await pending)).toBe('ok')
  })

  test('F1: it is refused when its issuer is given up meanwhile', async () => {
    const pending = verifier.verify({ credential })
    source.commit({ type: 'issuers', own: [] })
    expect(codeOf(await pending)).toBe('unknown')
  })

  test('V1: it is refused when it is revoked meanwhile', async () => {
    const pending = verifier.verify({ credential })
    source.commit({
      type: 'revocation',
      rule: rule({ kind: 'token', target: 'tok_1', position: source.position(2) }),
    })
    expect(codeOf(await pending)).toBe('revoked')
  })

  test('it is refused when it expires meanwhile', async () => {
    const pending = verifier.verify({ credential })
    source.time += 600_000
    expect(codeOf(await pending)).toBe('expired')
  })

  test('L1: it is not answered for when the facts grow old meanwhile', async () => {
    const pending = verifier.verify({ credential })
    source.isFresh = false
    expect(codeOf(await pending)).toBe('unavailable')
  })

  test('others may be checked, and none is taken for another', async () => {
    const bad = `${credential.slice(0, -8)}AAAAAAAA`
    const texts = [credential, bad, credential, makeKey().text, bad, 'a.b.c', credential]
    const verdicts = await Promise.all(texts.map((text) => verifier.verify({ credential: text })))
    expect(verdicts.map(codeOf)).toEqual([
      'ok',
      'bad_signature',
      'ok',
      'unknown',
      'bad_signature',
      'malformed',
      'ok',
    ])
  })
})

describe('what the portable build has in place of quicker files', () => {
  test('writes times as they do', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
        expect(portableInstant(ms)).toBe(formatInstant(ms))
      }),
    )
  })

  test('shares what was granted alike, and nothing else', () => {
    const names = fc.array(fc.constantFrom('a', 'b', 'a:b', ''), { maxLength: 2 })
    const granted = fc.record({ roles: names, permissions: names, scopes: fc.option(names) })
    fc.assert(
      fc.property(granted, granted, (one, other) => {
        const [here, there] = [new PortableGrants(), new GrantTable()]
        expect(here.share(one) === here.share(other)).toBe(there.share(one) === there.share(other))
        expect({ ...here.share(other) }).toEqual({ ...there.share(other) })
      }),
    )
  })
})

describe('the portable build of an algorithm', () => {
  test('that needs a secret knows none, and a key of it is unknown', async () => {
    expect(() => schemes.hmac('sha256').importKey({ kty: 'oct', k: 'c2VjcmV0' })).toThrow(TypeError)
    expect(schemes.hmac('sha256').isSupported()).toBe(false)
  })

  test('refuses a JWK with a member that is missing or of another size', () => {
    const { publicJwk } = new TokenSigner('ES256')
    expect(() => schemes.ecdsa('sha256', 32).importKey({ ...publicJwk, x: 'AAAA' })).toThrow(TypeError)
    expect(() => schemes.ecdsa('sha384', 48).importKey(publicJwk)).toThrow(TypeError)
    expect(() => schemes.ed25519().importKey({ kty: 'OKP', crv: 'Ed25519' })).toThrow(TypeError)
  })

  test('answers no, and goes on, for a point that is off its curve', async () => {
    const { importKey, verify, isSupported } = schemes.ecdsa('sha256', 32)
    const point = Buffer.alloc(32, 1).toString('base64url')
    const key = importKey({ kty: 'EC', crv: 'P-256', x: point, y: point })
    expect(await verify(key, 'a.b', new Uint8Array(64).fill(1))).toBe(false)
    expect(isSupported()).toBe(true)
  })

  test('shows with its first signature that the runtime lacks it', async () => {
    const { importKey, verify, isSupported } = schemes.ecdsa('sha256', 28)
    const integer = Buffer.alloc(28, 1).toString('base64url')
    const key = importKey({ kty: 'EC', crv: 'P-224', x: integer, y: integer })
    expect(isSupported()).toBe(true)
    expect(await verify(key, 'a.b', new Uint8Array(56).fill(1))).toBe(false)
    expect(isSupported()).toBe(false)
  })

  test('tells the strength of an RSA key as Node does', () => {
    for (const modulusLength of [1024, 2048, 2056]) {
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent: 3 })
      const jwk = { ...publicKey.export({ format: 'jwk' }) }
      const key = schemes.rsaPss('sha256').importKey(jwk)
      expect(crypto.keyDetails(key)).toEqual(keyDetails(importPublicJwk(jwk)))
    }
    const key = schemes.ed25519().importKey(new TokenSigner('Ed25519').publicJwk)
    expect(crypto.keyDetails(key)).toEqual({ modulusBits: null, publicExponent: null })
  })

  test('has the digests of Node', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(crypto.sha256(text)).toBe(sha256(text))
      }),
    )
  })
})

function codeOf(verdict: Verdict | undefined): string {
  return verdict?.ok ? 'ok' : (verdict?.code ?? 'none')
}
