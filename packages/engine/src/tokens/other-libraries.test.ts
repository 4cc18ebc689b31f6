import { execFileSync, spawnSync } from 'node:child_process'
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALGORITHMS, type SigningAlgorithm } from '@claviger/verify'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing, PUBLIC_URL } from '../../test/issuing.ts'
import { type Jwks, readJwks } from '../signing/jwks.ts'
import { mintToken } from './mint-token.ts'

const EVERY_ALGORITHM = Object.keys(ALGORITHMS) as SigningAlgorithm[]

const PYTHON = '/usr/bin/python3'
const hasPyJwt = spawnSync(PYTHON, ['-c', 'import jwt, cryptography']).status === 0
const hasOpenssl = spawnSync('openssl', ['version']).status === 0

/** Debian's PyJWT knows Ed25519 by the name `EdDSA` alone. */
const PYJWT_ALGORITHMS = ['RS256', 'ES256'] as const satisfies SigningAlgorithm[]

const PYJWT_PROGRAM = `
import json, sys, jwt
given = json.load(sys.stdin)
kid = jwt.get_unverified_header(given['token'])['kid']
[key] = [key for key in given['jwks']['keys'] if key['kid'] == kid]
claims = jwt.decode(given['token'], jwt.PyJWK(key, key['alg']).key, algorithms=[given['algorithm']],
                    audience=given['audience'], issuer=given['issuer'], options={'verify_exp': False, 'verify_iat': False})
print(json.dumps(claims))
`

let installation: TestInstallation
let issuing: Issuing
let jwks: Jwks
const tokens = new Map<SigningAlgorithm, string>()

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
  for (const algorithm of EVERY_ALGORITHM) {
    const input = { subject: 'user_1', audience: AUDIENCE, permissions: ['a:b'], algorithm }
    tokens.set(algorithm, (await mintToken(issuing.scope, input)).credential)
  }
  jwks = await readJwks(installation.reader, 'default')
})
afterAll(() => installation.close())

function tokenOf(algorithm: SigningAlgorithm): string {
  return tokens.get(algorithm) ?? ''
}

function publicKeyOf(algorithm: SigningAlgorithm): KeyObject {
  const jwk = jwks.keys.find(({ alg }) => alg === algorithm)
  return createPublicKey({ key: { ...jwk }, format: 'jwk' })
}

/** What was signed, and the signature. */
function partsOf(token: string): { readonly input: Buffer; readonly signature: Buffer } {
  const end = token.lastIndexOf('.')
  return {
    input: Buffer.from(token.slice(0, end)),
    signature: Buffer.from(token.slice(end + 1), 'base64url'),
  }
}

describe('a minted token is accepted by', () => {
  test.each(EVERY_ALGORITHM)('jose, signed with %s, through the JWKS', async (algorithm) => {
    const { payload } = await jwtVerify(tokenOf(algorithm), createLocalJWKSet(jwks), {
      issuer: PUBLIC_URL,
      audience: AUDIENCE,
      typ: 'at+jwt',
      algorithms: [algorithm],
      currentDate: new Date(installation.clock.nowMs()),
    })
    expect(payload).toMatchObject({ sub: 'user_1', permissions: ['a:b'] })
  })

  test.each(EVERY_ALGORITHM)('bare node:crypto, signed with %s, in the encoding of JOSE', (algorithm) => {
    const { input, signature } = partsOf(tokenOf(algorithm))
    const key = { key: publicKeyOf(algorithm), dsaEncoding: 'ieee-p1363' } as const
    expect(verify(ALGORITHMS[algorithm].digest, input, key, signature)).toBe(true)
  })

  test.skipIf(!hasPyJwt).each(PYJWT_ALGORITHMS)('PyJWT, signed with %s', (algorithm) => {
    const input = JSON.stringify({
      token: tokenOf(algorithm),
      jwks,
      algorithm,
      audience: AUDIENCE,
      issuer: PUBLIC_URL,
    })
    const output = execFileSync(PYTHON, ['-c', PYJWT_PROGRAM], { input, encoding: 'utf8' })
    expect(JSON.parse(output)).toMatchObject({ sub: 'user_1', permissions: ['a:b'] })
  })

  test.skipIf(!hasOpenssl).each(EVERY_ALGORITHM)('openssl, signed with %s', (algorithm) => {
    const { input, signature } = partsOf(tokenOf(algorithm))
    const file = (name: string, content: string | Buffer): string => {
      const path = join(installation.folder, `${algorithm}.${name}`)
      writeFileSync(path, content)
      return path
    }
    const key = file('pem', publicKeyOf(algorithm).export({ format: 'pem', type: 'spki' }))
    const data = file('data', input)
    const sign = file('sig', algorithm === 'ES256' ? derOf(signature) : signature)
    const digest = algorithm === 'Ed25519' ? [] : ['-digest', 'sha256']
    const run = (dataFile: string) =>
      spawnSync('openssl', [
        'pkeyutl',
        '-verify',
        '-pubin',
        '-inkey',
        key,
        '-rawin',
        ...digest,
        '-in',
        dataFile,
        '-sigfile',
        sign,
      ])
    expect(run(data).status).toBe(0)
    expect(run(file('other', `${input}x`)).status).not.toBe(0)
  })
})

/** r and s as the two DER integers that openssl reads. */
function derOf(signature: Buffer): Buffer {
  const integers = [signature.subarray(0, 32), signature.subarray(32)].map((bytes) => {
    const shortest = bytes.subarray(
      Math.max(
        0,
        bytes.findIndex((byte) => byte !== 0),
      ),
    )
    const digits = (shortest[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), shortest]) : shortest
    return Buffer.concat([Buffer.of(0x02, digits.length), digits])
  })
  const content = Buffer.concat(integers)
  return Buffer.concat([Buffer.of(0x30, content.length), content])
}
