import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { RevocationRule, SigningKeyFact } from '../src/changes/change.ts'
import { formatPosition, type Position } from '../src/changes/position.ts'
import { BASE62 } from '../src/keys/base62.ts'
import { formatKeyString } from '../src/keys/key-string.ts'
import type { KeyRecord } from '../src/source/source.ts'
import { EPOCH } from './memory-source.ts'

export const ISSUER = 'http://127.0.0.1:2528'
export const AUDIENCE = 'https://api.example.com'

export function base62(length: number): string {
  return Array.from(randomBytes(length), (byte) => BASE62[byte % 62]).join('')
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** A key's text and what an authority knows of it. */
export function makeKey(given: Partial<KeyRecord> = {}): { text: string; digest: string; record: KeyRecord } {
  const text = formatKeyString('ck', base62(8), base62(30))
  const record: KeyRecord = {
    id: `key_${base62(8)}`,
    subject: 'customer-1',
    roles: [],
    permissions: ['documents:read'],
    scopes: null,
    metadata: {},
    createdAtMs: Date.UTC(2026, 10, 1),
    pos: { epoch: EPOCH, number: 1 },
    expiresAtMs: null,
    notBeforeMs: null,
    ipAllow: null,
    disabled: false,
    revoked: false,
    secret: { current: true, revoked: false, validUntilMs: null },
    ...given,
  }
  return { text, digest: digestOf(text), record }
}

/** A signer of RS256 tokens, and its key as a fact. */
export class TestSigner {
  readonly fact: SigningKeyFact
  readonly #privateKey: KeyObject

  constructor(id = 'k1') {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.#privateKey = privateKey
    this.fact = {
      type: 'signing-key',
      id,
      algorithm: 'RS256',
      status: 'active',
      publicJwk: publicKey.export({ format: 'jwk' }),
    }
  }

  sign(claims: Record<string, unknown>, header: Record<string, unknown> = {}): string {
    const input = [{ alg: 'RS256', kid: this.fact.id, typ: 'at+jwt', ...header }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    return `${input}.${sign('sha256', Buffer.from(input), this.#privateKey).toString('base64url')}`
  }
}

/** The claims of a good access token, ten minutes long. */
export function accessClaims(
  nowMs: number,
  pos: Position,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const iat = Math.floor(nowMs / 1000)
  return {
    iss: ISSUER,
    sub: 'customer-1',
    aud: AUDIENCE,
    iat,
    exp: iat + 600,
    jti: `tok_${base62(12)}`,
    client_id: 'key_minter',
    permissions: ['documents:read'],
    pos: formatPosition(pos),
    ...more,
  }
}

export function rule(
  given: Partial<RevocationRule> & Pick<RevocationRule, 'kind' | 'position'>,
): RevocationRule {
  return {
    id: `rev_${base62(10)}`,
    target: '',
    issuer: null,
    only: null,
    ban: false,
    issuedBeforeMs: null,
    tokensUntilMs: null,
    ...given,
  }
}
