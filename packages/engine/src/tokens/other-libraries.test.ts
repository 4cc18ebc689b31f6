import { constants, createHmac, createPrivateKey, createPublicKey, type KeyObject, verify } from 'node:crypto'
import {
  ALGORITHMS,
  HEADER_ALGORITHMS,
  type HeaderAlgorithm,
  SIGNING_TRAITS,
  type SigningAlgorithm,
  signingAlgorithmOf,
} from '@claviger/verify'
import { CompactSign, createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing, PUBLIC_URL } from '../../test/issuing.ts'
import {
  decodeWithPyJwt,
  encodeWithPyJwt,
  hasOpenssl,
  hasPyJwt,
  OpensslCommand,
  opensslHasMlDsa,
} from '../../test/other-implementations.ts'
import { type Jwks, readJwks } from '../signing/jwks.ts'
import { signingKeyPlace } from '../signing/make-signing-key.ts'
import { mintToken } from './mint-token.ts'

const PUBLIC = HEADER_ALGORITHMS.filter((name) => name !== 'HS256')

/** Debian's PyJWT knows Ed25519 by the name `EdDSA` alone, and no ML-DSA. */
const PYJWT = HEADER_ALGORITHMS.filter((name) => name !== 'Ed25519' && name !== 'ML-DSA-65')

/** A name in a header makes no difference to openssl, which knows ML-DSA from 3.5 on: Debian 12 has an older one. */
const OPENSSL = (Object.keys(ALGORITHMS) as SigningAlgorithm[]).filter(
  (name) => name !== 'HS256' && (name !== 'ML-DSA-65' || opensslHasMlDsa),
)

let installation: TestInstallation
let issuing: Issuing
let jwks: Jwks
const tokens = new Map<HeaderAlgorithm, string>()
/** PKCS #8 or a secret, as it is kept, by `kid`. */
const privateParts = new Map<string, Buffer>()

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
  for (const algorithm of HEADER_ALGORITHMS) {
    const input = { subject: 'user_1', audience: AUDIENCE, permissions: ['a:b'], algorithm }
    tokens.set(algorithm, (await mintToken(issuing.scope, input)).credential)
  }
  jwks = await readJwks(installation.reader, 'default')
  const rows = await installation.reader.selectFrom('signing_keys').selectAll().execute()
  for (const { id, project_id, private_sealed } of rows) {
    privateParts.set(
      id,
      Buffer.from(installation.sealer.open(signingKeyPlace(project_id, id), private_sealed)),
    )
  }
})
afterAll(() => installation.close())

function tokenOf(algorithm: HeaderAlgorithm): string {
  return tokens.get(algorithm) ?? ''
}

function kidOf(algorithm: HeaderAlgorithm): string {
  const [header = ''] = tokenOf(algorithm).split('.')
  return JSON.parse(Buffer.from(header, 'base64url').toString()).kid
}

function publicKeyOf(algorithm: HeaderAlgorithm): KeyObject {
  const jwk = jwks.keys.find(({ kid }) => kid === kidOf(algorithm))
  return createPublicKey({ key: { ...jwk }, format: 'jwk' })
}

function privatePartOf(algorithm: HeaderAlgorithm): Buffer {
  return privateParts.get(kidOf(algorithm)) ?? Buffer.alloc(0)
}

function privateKeyOf(algorithm: HeaderAlgorithm): KeyObject {
  return createPrivateKey({ key: privatePartOf(algorithm), format: 'der', type: 'pkcs8' })
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
  test.each(PUBLIC)('jose, signed with %s, through the JWKS', async (algorithm) => {
    const { payload } = await jwtVerify(tokenOf(algorithm), createLocalJWKSet(jwks), {
      issuer: PUBLIC_URL,
      audience: AUDIENCE,
      typ: 'at+jwt',
      algorithms: [algorithm],
      currentDate: new Date(installation.clock.nowMs()),
    })
    expect(payload).toMatchObject({ sub: 'user_1', permissions: ['a:b'] })
  })

  test('jose, signed with HS256, with the secret that no JWKS holds', async () => {
    const options = { algorithms: ['HS256'], currentDate: new Date(installation.clock.nowMs()) }
    const { payload } = await jwtVerify(tokenOf('HS256'), privatePartOf('HS256'), options)
    expect(payload).toMatchObject({ sub: 'user_1' })
    expect(jwks.keys.map(({ kid }) => kid)).not.toContain(kidOf('HS256'))
  })

  test.each(OPENSSL)('bare node:crypto, signed with %s, in the encoding of JOSE', (algorithm) => {
    const { input, signature } = partsOf(tokenOf(algorithm))
    const key = {
      key: publicKeyOf(algorithm),
      dsaEncoding: 'ieee-p1363',
      ...(algorithm.startsWith('PS')
        ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
        : {}),
    } as const
    expect(verify(SIGNING_TRAITS[algorithm].digest, input, key, signature)).toBe(true)
  })

  test.skipIf(!hasPyJwt).each(PYJWT)('PyJWT, signed with %s', (algorithm) => {
    const claims = decodeWithPyJwt({
      token: tokenOf(algorithm),
      jwks,
      algorithm,
      audience: AUDIENCE,
      issuer: PUBLIC_URL,
      ...(algorithm === 'HS256' ? { secret: privatePartOf(algorithm).toString('base64url') } : {}),
    })
    expect(claims).toMatchObject({ sub: 'user_1', permissions: ['a:b'] })
  })

  test.skipIf(!hasOpenssl).each(OPENSSL)('openssl, signed with %s', (algorithm) => {
    const openssl = new OpensslCommand(installation.folder, algorithm)
    const { input, signature } = partsOf(tokenOf(algorithm))
    const pem = publicKeyOf(algorithm).export({ format: 'pem', type: 'spki' }).toString()
    const theirs = algorithm.startsWith('ES') ? derOf(signature) : signature
    expect(openssl.verifies(pem, input, theirs)).toBe(true)
    expect(openssl.verifies(pem, Buffer.concat([input, Buffer.from('x')]), theirs)).toBe(false)
  })

  test.skipIf(!hasOpenssl)('openssl, as the same HMAC with the secret', () => {
    const { input, signature } = partsOf(tokenOf('HS256'))
    const openssl = new OpensslCommand(installation.folder, 'HS256')
    expect(openssl.mac(privatePartOf('HS256'), input)).toEqual(signature)
  })
})

describe('a token is accepted here that was signed with our key by', () => {
  const header = (algorithm: HeaderAlgorithm) => ({ alg: algorithm, typ: 'at+jwt', kid: kidOf(algorithm) })
  const claims = (algorithm: HeaderAlgorithm): Record<string, unknown> => {
    const [, payload = ''] = tokenOf(algorithm).split('.')
    return { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'user_2' }
  }
  const accepts = async (credential: string): Promise<void> => {
    const verdict = await issuing.verifier.verify({ credential })
    expect(verdict).toMatchObject({ ok: true, subject: 'user_2', permissions: ['a:b'] })
  }
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

  test.each(HEADER_ALGORITHMS)('jose, with %s', async (algorithm) => {
    const key = algorithm === 'HS256' ? privatePartOf(algorithm) : privateKeyOf(algorithm)
    const token = new CompactSign(Buffer.from(JSON.stringify(claims(algorithm))))
    await accepts(await token.setProtectedHeader(header(algorithm)).sign(key))
  })

  test.skipIf(!hasPyJwt).each(PYJWT)('PyJWT, with %s', async (algorithm) => {
    const key = privatePartOf(algorithm).toString('base64url')
    await accepts(encodeWithPyJwt({ claims: claims(algorithm), header: header(algorithm), algorithm, key }))
  })

  test.skipIf(!hasOpenssl).each(OPENSSL)('openssl, with %s', async (algorithm) => {
    const input = `${encode(header(algorithm))}.${encode(claims(algorithm))}`
    const pem = privateKeyOf(algorithm).export({ format: 'pem', type: 'pkcs8' }).toString()
    const theirs = new OpensslCommand(installation.folder, algorithm).sign(pem, Buffer.from(input))
    const signature = Buffer.from(SIGNING_TRAITS[algorithm].toJoseSignature(theirs))
    await accepts(`${input}.${signature.toString('base64url')}`)
  })

  test('bare node:crypto, with HS256', async () => {
    const input = `${encode(header('HS256'))}.${encode(claims('HS256'))}`
    const mac = createHmac('sha256', privatePartOf('HS256')).update(input).digest('base64url')
    await accepts(`${input}.${mac}`)
  })
})

test('one key signs under both names of Ed25519', () => {
  expect(kidOf('EdDSA')).toBe(kidOf('Ed25519'))
  expect(signingAlgorithmOf('EdDSA')).toBe('Ed25519')
})

/** r and s as the two DER integers that openssl reads. */
function derOf(signature: Buffer): Buffer {
  const half = signature.length / 2
  const integers = [signature.subarray(0, half), signature.subarray(half)].map((bytes) => {
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
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length]
  return Buffer.concat([Buffer.of(0x30, ...length), content])
}
