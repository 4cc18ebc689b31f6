import { createHmac, generateKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import {
  type AlgorithmTraits,
  SIGNING_TRAITS,
  type SigningAlgorithm,
  type SigningTraits,
  sha256,
} from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { CommandContext } from '../commands/command.ts'
import type { EngineParts } from '../scope.ts'
import type { SealedPlace } from '../storage/seal.ts'

/** A signing key on its way into the database: the writer thread sees its private part sealed. */
export interface NewSigningKey {
  /** The JWS `kid`. */
  readonly id: string
  readonly projectId: string
  readonly algorithm: SigningAlgorithm
  readonly publicJwk: Readonly<Record<string, string>>
  /** PKCS #8, or the bytes of a symmetric key's secret, sealed at {@link signingKeyPlace}. */
  readonly privateSealed: Uint8Array
}

interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** What is made: the private part is zeroed once it is sealed. */
interface KeyMaterial {
  readonly id: string
  readonly publicJwk: Readonly<Record<string, string>>
  readonly privatePart: Buffer
}

/** The types of Node name each kind of key; the table of algorithms holds any of them. */
const generatePair = promisify(generateKeyPair) as unknown as (
  type: string,
  options: object,
) => Promise<KeyPair>
const generateSecret = promisify(generateKey) as unknown as (
  type: string,
  options: object,
) => Promise<KeyObject>

/**
 * Makes a key pair, or a secret, on the thread pool, and seals its private part (RSA: about a tenth of a second). Throws `unavailable` for an algorithm that this
 * version of Node does not have.
 *
 * Its `kid` is the thumbprint of its public part (RFC 7638): nobody can give two keys one name, whoever holds a key
 * can work its name out, and the same key keeps it wherever it is brought.
 */
export async function makeSigningKey(
  { sealer }: Pick<EngineParts, 'sealer'>,
  projectId: string,
  algorithm: SigningAlgorithm,
): Promise<NewSigningKey> {
  const traits = SIGNING_TRAITS[algorithm]
  if (!traits.isSupported()) {
    throw new CodedError(
      'unavailable',
      `The version of Node that Claviger runs on has no ${algorithm}. Update it.`,
    )
  }
  const { id, publicJwk, privatePart } = traits.symmetric ? await makeSecret(traits) : await makePair(traits)
  // Every command line would take such a `kid` for an option: one in 64 is made anew.
  if (id.startsWith('-')) return makeSigningKey({ sealer }, projectId, algorithm)
  const privateSealed = sealer.seal(signingKeyPlace(projectId, id), privatePart)
  privatePart.fill(0)
  return { id, projectId, algorithm, publicJwk, privateSealed }
}

async function makePair(traits: SigningTraits): Promise<KeyMaterial> {
  const { publicKey, privateKey } = await generatePair(traits.generate.type, traits.generate.options)
  const publicJwk = publicJwkOf(publicKey, traits)
  const privatePart = privateKey.export({ format: 'der', type: 'pkcs8' })
  return { id: thumbprintOf(publicJwk), publicJwk, privatePart }
}

async function makeSecret(traits: SigningTraits): Promise<KeyMaterial> {
  const secret = await generateSecret(traits.generate.type, traits.generate.options)
  return {
    id: nameOfSecret(secret, traits),
    publicJwk: { kty: traits.keyType },
    privatePart: secret.export(),
  }
}

/**
 * A thumbprint of a secret would be a digest of it, shown in every token. Its `kid` is an HMAC under it instead, of a
 * text that no token has: there is no dot in it.
 */
export function nameOfSecret(secret: KeyObject, { keyType }: AlgorithmTraits): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify({ kty: keyType }))
    .digest('base64url')
}

/**
 * Writes a signing key, and tells it: one that signs from now on, that will, or that did elsewhere. Its ring must have no
 * other active or next one.
 */
export async function insertSigningKey(
  context: CommandContext,
  key: NewSigningKey,
  {
    status,
    tokensUntilMs = null,
  }: {
    readonly status: 'next' | 'active' | 'retiring'
    readonly tokensUntilMs?: number | null
  } = { status: 'active' },
): Promise<void> {
  const { id, projectId, algorithm, publicJwk } = key
  await context.db
    .insertInto('signing_keys')
    .values({
      id,
      project_id: projectId,
      algorithm,
      status,
      public_jwk: JSON.stringify(publicJwk),
      private_sealed: key.privateSealed,
      created_at_ms: context.nowMs,
      activate_at_ms: null,
      activated_at_ms: status === 'active' ? context.nowMs : null,
      superseded_at_ms: status === 'retiring' ? context.nowMs : null,
      tokens_until_ms: tokensUntilMs,
      retired_at_ms: null,
    })
    .execute()
  const lasting = tokensUntilMs === null ? {} : { tokensUntilMs }
  await context.emit(projectId, { type: 'signing-key', id, algorithm, status, publicJwk, ...lasting })
  await context.audit({ projectId, action: 'signing-key.add', target: id, detail: { algorithm, status } })
}

/** Where a private key is sealed: a row that is moved to another project does not open there. */
export function signingKeyPlace(projectId: string, id: string): SealedPlace {
  return { purpose: 'signing-key', row: `${projectId}/${id}` }
}

/** The thumbprint (RFC 7638) of what {@link publicJwkOf} answered. */
export function thumbprintOf(publicJwk: Readonly<Record<string, string>>): string {
  return sha256(JSON.stringify(publicJwk))
}

/** The members that make up the key and no others, in the order that its thumbprint is taken over (RFC 7638, section 3). */
export function publicJwkOf(
  publicKey: KeyObject,
  { curve, keyMembers }: AlgorithmTraits,
): Record<string, string> {
  const jwk: Record<string, unknown> = { ...publicKey.export({ format: 'jwk' }) }
  const names = ['kty', ...(curve === null ? [] : ['crv']), ...keyMembers].sort()
  return Object.fromEntries(names.map((name) => [name, String(jwk[name])]))
}
