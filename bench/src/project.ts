import { Buffer } from 'node:buffer'
import {
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  type RSAKeyPairOptions,
  randomInt,
  randomUUID,
  sign,
} from 'node:crypto'
import { promisify } from 'node:util'
import {
  BASE62,
  formatKeyString,
  formatPosition,
  KEY_LOCATOR_LENGTH,
  KEY_SECRET_LENGTH,
  type KeyRecord,
  type Position,
  type RevocationRule,
  type RoleFact,
  SIGNING_TRAITS,
  type SigningAlgorithm,
  type SigningTraits,
  type Snapshot,
  type SubjectFact,
  sha256,
  type VerifyRequest,
} from '@claviger/verify'
import { FreshTexts } from './fresh-texts.ts'
import { MemorySource } from './memory-source.ts'

export const AUDIENCE = 'https://api.acme.example'
export const ISSUER = 'https://auth.acme.example'
const RULE_COUNT = 10_000

const EPOCH = '1-benchAAA'
const SUBJECT_COUNT = 5_000
/** Rules come first in the feed: those on our subjects spare the credentials, and are looked at all the same. */
const ISSUED: Position = { epoch: EPOCH, number: 2 * RULE_COUNT }
const HEAD: Position = { epoch: EPOCH, number: 3 * RULE_COUNT }

const RESOURCES = ['documents', 'billing', 'reports', 'members', 'webhooks', 'invoices', 'projects', 'files']
const ACTIONS = ['read', 'write', 'delete', 'share', 'export', 'list']

/** A signing key, with its public half in the spellings that the contenders want. */
export interface SigningKeys {
  readonly id: string
  readonly algorithm: SigningAlgorithm
  readonly traits: SigningTraits
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly publicJwk: JsonWebKey
}

export function makeSigningKeys(algorithm: SigningAlgorithm): SigningKeys {
  const traits = SIGNING_TRAITS[algorithm]
  const { type, options } = traits.generate
  // The types of Node name each kind of key; the table holds any of them.
  const pair = generateKeyPairSync(type as 'rsa', options as unknown as RSAKeyPairOptions<'pem', 'pem'>)
  const { privateKey, publicKey } = pair as unknown as { privateKey: KeyObject; publicKey: KeyObject }
  return {
    id: `bench-${algorithm.toLowerCase()}`,
    algorithm,
    traits,
    privateKey: traits.importSigningKey(privateKey.export({ format: 'der', type: 'pkcs8' })),
    publicKey,
    publicJwk: publicKey.export({ format: 'jwk' }),
  }
}

/** What a service asks on each call. */
export function requestFor(credential: string): VerifyRequest {
  return {
    credential,
    require: { permissions: 'documents:read and (billing:* or admin:all)' },
    context: { ip: '203.0.113.7' },
  }
}

/** A source of a project of ordinary size, with 10,000 revocation rules that kill others than ours. */
export function makeSource(
  signing: SigningKeys,
  keys: ReadonlyMap<string, KeyRecord> = new Map(),
): MemorySource {
  const snapshot: Snapshot = {
    project: 'default',
    position: HEAD,
    epochs: [EPOCH],
    facts: [
      { type: 'issuers', own: [{ url: ISSUER, acceptUntilMs: null }] },
      {
        type: 'signing-key',
        id: signing.id,
        algorithm: signing.algorithm,
        status: 'active',
        publicJwk: { ...signing.publicJwk },
      },
      ...roles(),
      ...subjectRecords(),
      ...Array.from({ length: RULE_COUNT }, (_, index) => ({
        type: 'revocation' as const,
        rule: makeRule(index),
      })),
    ],
  }
  return new MemorySource(snapshot, keys)
}

/** A rule that kills nothing of ours: on somebody else's credential, or on a subject of ours before its time. */
export function makeRule(index: number): RevocationRule {
  const kinds = [
    'token',
    'token',
    'token',
    'session',
    'session',
    'key',
    'client',
    'subject',
    'subject',
  ] as const
  const kind = index === 0 ? 'everything' : (kinds[index % kinds.length] ?? 'token')
  const target =
    kind === 'everything' ? '' : kind === 'subject' ? subjectName(index) : `${kind}_${randomUUID()}`
  return {
    id: `rev_${randomUUID()}`,
    kind,
    target,
    issuer: null,
    only: null,
    ban: false,
    position: { epoch: EPOCH, number: index },
    issuedBeforeMs: null,
    tokensUntilMs: Date.now() + 86_400_000,
  }
}

/** Keys and, by their digests, the records that the source answers with. */
export function makeKeys(count: number): { texts: FreshTexts; records: ReadonlyMap<string, KeyRecord> } {
  const records = new Map<string, KeyRecord>()
  const texts: string[] = []
  for (let index = 0; index < count; index++) {
    const text = formatKeyString(
      'acme_live',
      randomBase62(KEY_LOCATOR_LENGTH),
      randomBase62(KEY_SECRET_LENGTH),
    )
    texts.push(text)
    records.set(sha256(text), makeKeyRecord(index))
  }
  return { texts: new FreshTexts(texts), records }
}

/** Access tokens (RFC 9068) as the engine mints them, signed on the thread pool. */
export async function makeTokens(count: number, signing: SigningKeys): Promise<FreshTexts> {
  const signOnPool = promisify(sign)
  const { joseName, digest, toJoseSignature } = signing.traits
  const header = encode({ alg: joseName, typ: 'at+jwt', kid: signing.id })
  const texts: string[] = []
  while (texts.length < count) {
    const batch = Array.from({ length: Math.min(64, count - texts.length) }, async (_, index) => {
      const input = `${header}.${encode(makeClaims(texts.length + index))}`
      const signature = await signOnPool(digest, Buffer.from(input), signing.privateKey)
      return `${input}.${Buffer.from(toJoseSignature(signature)).toString('base64url')}`
    })
    texts.push(...(await Promise.all(batch)))
  }
  return new FreshTexts(texts)
}

function makeKeyRecord(index: number): KeyRecord {
  return {
    id: `key_${randomUUID()}`,
    subject: subjectName(index),
    roles: ['reader', roleName(index)],
    permissions: ['billing:*'],
    scopes: null,
    metadata: { plan: 'team', region: 'eu' },
    createdAtMs: Date.now(),
    pos: ISSUED,
    expiresAtMs: Date.now() + 30 * 86_400_000,
    notBeforeMs: null,
    ipAllow: null,
    disabled: false,
    revoked: false,
    secret: { current: true, revoked: false, validUntilMs: null },
  }
}

function makeClaims(index: number): Record<string, unknown> {
  const nowSeconds = Math.floor(Date.now() / 1000)
  return {
    iss: ISSUER,
    sub: subjectName(index),
    aud: AUDIENCE,
    exp: nowSeconds + 3600,
    iat: nowSeconds,
    jti: `tok_${randomUUID()}`,
    client_id: `cli_${index % 100}`,
    roles: ['reader', roleName(index)],
    permissions: ['billing:*'],
    sid: `ses_${randomUUID()}`,
    pos: formatPosition(ISSUED),
    tenant: `t${index % 1000}`,
  }
}

function roles(): RoleFact[] {
  const named = RESOURCES.map((resource, index) => ({
    type: 'role' as const,
    name: roleName(index),
    permissions: ACTIONS.map((action) => `${resource}:${action}`),
  }))
  return [
    { type: 'role', name: 'reader', permissions: RESOURCES.map((resource) => `${resource}:read`) },
    ...named,
  ]
}

/** Every tenth subject has a record, which describes and bounds nothing. */
function subjectRecords(): SubjectFact[] {
  return Array.from({ length: SUBJECT_COUNT / 10 }, (_, index) => ({
    type: 'subject',
    issuer: null,
    subject: subjectName(index * 10),
    record: { disabled: false, metadata: { since: 2024 } },
  }))
}

function roleName(index: number): string {
  return `${RESOURCES[index % RESOURCES.length]}-team`
}

function subjectName(index: number): string {
  return `user_${index % SUBJECT_COUNT}`
}

function randomBase62(length: number): string {
  return Array.from({ length }, () => BASE62[randomInt(BASE62.length)]).join('')
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
