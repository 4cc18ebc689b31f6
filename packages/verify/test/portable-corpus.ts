import { createHmac, sign } from 'node:crypto'
import { formatKeyString } from '../src/keys/key-string.ts'
import { ALGORITHMS, type SigningAlgorithm } from '../src/tokens/algorithms.ts'
import { SIGNING_TRAITS } from '../src/tokens/signing-traits.ts'
import { AUDIENCE, accessClaims, base62, ISSUER, makeKey, rule } from './credentials.ts'
import type { Case, Corpus } from './judge-corpus.ts'
import { EPOCH } from './memory-source.ts'
import { encodePart, TokenSigner } from './token-signer.ts'

const NOW_MS = Date.UTC(2026, 10, 24)
const POSITION = { epoch: EPOCH, number: 5 }

/** Credentials of every kind that may pass or must not, and what an authority knows of them. */
export function makeCorpus(algorithms: readonly SigningAlgorithm[]): Corpus {
  const signers = algorithms.map((algorithm) => new TokenSigner(algorithm))
  const keys = keyCases()
  return {
    nowMs: NOW_MS,
    audience: AUDIENCE,
    snapshot: {
      project: 'default',
      position: POSITION,
      epochs: [EPOCH],
      facts: [
        // As they go to an edge: a symmetric key without its secret.
        ...signers.map(({ fact: { secret: _secret, ...fact } }) => fact),
        { type: 'issuers', own: [{ url: ISSUER, acceptUntilMs: null }] },
        { type: 'role', name: 'reader', permissions: ['documents:read'] },
        {
          type: 'subject',
          issuer: null,
          subject: 'zoë',
          record: { disabled: false, roles: ['reader'], permissions: [], metadata: { plan: 'pro' } },
        },
        {
          type: 'revocation',
          rule: rule({ kind: 'token', target: 'tok_revoked', position: POSITION }),
        },
      ],
    },
    keys: Object.fromEntries(keys.map(({ digest, record }) => [digest, record])),
    cases: [
      ...signers.flatMap(tokenCases),
      ...keys.map(({ case: { credential, ...rest } }) => ({ credential, ...rest })),
      { name: 'key: unknown', credential: makeKey().text },
      { name: 'key: mistyped', credential: `${makeKey().text.slice(0, -1)}_` },
      { name: 'key: refresh token', credential: formatKeyString('ckr', base62(8), base62(30)) },
      { name: 'nothing', credential: '' },
      { name: 'no ASCII', credential: 'é'.repeat(400) },
      { name: 'too long', credential: 'a.b.'.padEnd(9000, 'c') },
    ],
  }
}

function keyCases(): { digest: string; record: ReturnType<typeof makeKey>['record']; case: Case }[] {
  const made = (
    name: string,
    given: Parameters<typeof makeKey>[0] = {},
    asked: Omit<Case, 'name' | 'credential'> = {},
  ) => {
    const { text, digest, record } = makeKey({ pos: POSITION, ...given })
    return { digest, record, case: { name: `key: ${name}`, credential: text, ...asked } }
  }
  return [
    made('good'),
    made('permitted', { permissions: [], roles: ['reader'] }, { permissions: 'documents:read' }),
    made('not permitted', {}, { permissions: 'billing:read' }),
    made('expired', { expiresAtMs: NOW_MS }),
    made('not yet valid', { notBeforeMs: NOW_MS + 1 }),
    made('revoked', { revoked: true }),
    made('rotated out', { secret: { current: false, revoked: false, validUntilMs: NOW_MS } }),
    made('disabled', { disabled: true }),
    made('let in', { ipAllow: ['10.0.0.0/8'] }, { ip: '10.1.2.3' }),
    made('not let in', { ipAllow: ['10.0.0.0/8'] }, { ip: '192.0.2.1' }),
  ]
}

function tokenCases(signer: TokenSigner): Case[] {
  const claims = (more: Record<string, unknown> = {}) => accessClaims(NOW_MS, POSITION, more)
  const good = signer.token(claims({ team: 'a' }))
  const [header = '', payload = '', signature = ''] = good.split('.')
  const signatureBytes = Buffer.from(signature, 'base64url')
  const withSignature = (bytes: Uint8Array): string =>
    `${header}.${payload}.${Buffer.from(bytes).toString('base64url')}`
  const altered = (at: number): string => {
    const bytes = Buffer.from(signatureBytes)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return withSignature(bytes)
  }
  const stranger = new TokenSigner(signer.algorithm, signer.id)
  const seconds = Math.floor(NOW_MS / 1000)
  const jwkText = JSON.stringify(signer.publicJwk)
  const confused = `${encodePart({ ...signer.header, alg: 'HS256' })}.${payload}`
  const cases: [string, string, string?][] = [
    ['good', good],
    ['good again', good],
    ['other letters', signer.token(claims({ sub: 'zoë', jti: 'tok_other' })), 'documents:read'],
    ['not permitted', signer.token(claims()), 'billing:read'],
    ['expired', signer.token(claims({ iat: seconds - 700, exp: seconds - 100 }))],
    ['not yet valid', signer.token(claims({ nbf: seconds + 1 }))],
    ['revoked', signer.token(claims({ jti: 'tok_revoked' }))],
    ['bound to its sender', signer.token(claims({ cnf: { jkt: 'a' } }))],
    ['for others', signer.token(claims({ aud: 'https://other.example.com' }))],
    ['of another issuer', signer.token(claims({ iss: 'https://other.example.com' }))],
    ['altered payload', `${header}.${encodePart(claims({ sub: 'root' }))}.${signature}`],
    ['altered signature, first byte', altered(0)],
    ['altered signature, last byte', altered(signatureBytes.length - 1)],
    ['signature cut', withSignature(signatureBytes.subarray(1))],
    ['signature of nothing', withSignature(Buffer.alloc(signatureBytes.length))],
    ['signature of ones', withSignature(Buffer.alloc(signatureBytes.length, 0xff))],
    ['no signature', `${header}.${payload}.`],
    ['signed by a stranger', stranger.token(claims())],
    ['unknown kid', signer.token(claims(), { kid: 'other' })],
    ['alg none', signer.token(claims(), { alg: 'none' })],
    ['alg RS384', signer.token(claims(), { alg: signer.algorithm === 'RS384' ? 'RS256' : 'RS384' })],
    [
      'HMAC with the public key',
      `${confused}.${createHmac('sha256', jwkText).update(confused).digest('base64url')}`,
    ],
    ['not canonical', `${good}=`],
  ]
  if (ALGORITHMS[signer.algorithm].keyType === 'EC') {
    const der = sign(
      SIGNING_TRAITS[signer.algorithm].digest,
      Buffer.from(`${header}.${payload}`),
      signer.privateKey,
    )
    cases.push(['signature as DER', withSignature(der)])
  }
  return cases.map(([name, credential, permissions]) => ({
    name: `${signer.algorithm}: ${name}`,
    credential,
    ...(permissions === undefined ? {} : { permissions }),
  }))
}
