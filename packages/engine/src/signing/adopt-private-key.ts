import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import {
  ALGORITHMS,
  type AlgorithmTraits,
  parseStrictJson,
  prepareVerificationKey,
  type SigningAlgorithm,
  type VerificationKey,
} from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { EngineParts } from '../scope.ts'
import {
  type NewSigningKey,
  nameOfSecret,
  publicJwkOf,
  signingKeyPlace,
  thumbprintOf,
} from './make-signing-key.ts'
import { openSigningKey } from './open-signing-key.ts'
import { type PrivateKeyText, readPrivateKey } from './read-private-key.ts'
import { signToken } from './sign-token.ts'

/** A key that is to sign here from now on, whoever made it. */
export interface ForeignKey extends PrivateKeyText {
  readonly projectId: string
  readonly algorithm: SigningAlgorithm
  /** The `kid` of the tokens that are out; undefined: what the JWK says, else its thumbprint. */
  readonly kid: string | undefined
}

const MAX_KID_LENGTH = 255
const MIN_SECRET_BYTES = 32

/** What a `kid` may be made of: it stands in addresses and in logs. */
export const KID_PATTERN = '^(?!\\.{1,2}$)[\\x21-\\x7e]+$'

/**
 * Reads a private key, makes sure that what it signs is accepted by every verifier of ours, and seals it: the text does
 * not leave this side. Throws `invalid_request`.
 */
export async function adoptPrivateKey(
  { sealer }: Pick<EngineParts, 'sealer'>,
  foreign: ForeignKey,
): Promise<NewSigningKey> {
  const { projectId, algorithm } = foreign
  const traits: AlgorithmTraits = ALGORITHMS[algorithm]
  if (traits.symmetric) return adoptSecret({ sealer }, foreign, traits)
  const { privateKey, stated } = await readPrivateKey(foreign)
  const publicJwk = readPublicJwk(privateKey, traits)
  const id = chooseKid(foreign.kid, stated.kid) ?? thumbprintOf(publicJwk)
  const verificationKey = checkKey({ id, algorithm, publicJwk }, stated)
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
  const privateSealed = sealer.seal(signingKeyPlace(projectId, id), pkcs8)
  await checkPair({ id, algorithm, pkcs8 }, verificationKey)
  return { id, projectId, algorithm, publicJwk, privateSealed }
}

/** A secret comes as a JWK alone: of a text nobody can say how its bytes are written. */
function adoptSecret(
  { sealer }: Pick<EngineParts, 'sealer'>,
  { projectId, algorithm, text, passphrase, kid }: ForeignKey,
  traits: AlgorithmTraits,
): NewSigningKey {
  const jwk = parseStrictJson(text.trim())
  if (jwk?.kty !== traits.keyType || typeof jwk.k !== 'string' || passphrase !== undefined) {
    throw refused(`A secret for ${traits.joseName} is given as a JWK, such as {"kty":"oct","k":"…"}.`)
  }
  if (jwk.alg !== undefined && jwk.alg !== traits.joseName) {
    throw refused(`The JWK is meant for another algorithm than ${traits.joseName}.`)
  }
  if (jwk.use !== undefined && jwk.use !== 'sig') throw refused('The JWK is not meant for signatures.')
  checkOperations(jwk)
  const bytes = Buffer.from(jwk.k, 'base64url')
  if (bytes.toString('base64url') !== jwk.k) throw refused('The member k of the JWK is not base64url.')
  if (bytes.length < MIN_SECRET_BYTES) {
    throw refused(`A secret has at least ${MIN_SECRET_BYTES} bytes (RFC 7518, section 3.2).`)
  }
  const id = chooseKid(kid, jwk.kid) ?? nameOfSecret(createSecretKey(bytes), traits)
  const privateSealed = sealer.seal(signingKeyPlace(projectId, id), bytes)
  bytes.fill(0)
  return { id, projectId, algorithm, publicJwk: { kty: traits.keyType }, privateSealed }
}

function readPublicJwk(privateKey: KeyObject, traits: AlgorithmTraits): Readonly<Record<string, string>> {
  try {
    return publicJwkOf(createPublicKey(privateKey), traits)
  } catch {
    throw refused(`It is no key for ${traits.joseName}: its type is another.`)
  }
}

function chooseKid(asked: string | undefined, stated: unknown): string | undefined {
  if (asked !== undefined && stated !== undefined && asked !== stated) {
    throw refused('The JWK has another `kid` than the one asked for. Leave one of them out.')
  }
  const kid = asked ?? stated
  if (kid === undefined) return undefined
  if (typeof kid === 'string' && kid.length <= MAX_KID_LENGTH && new RegExp(KID_PATTERN).test(kid)) return kid
  throw refused(`Its \`kid\` must be 1 to ${MAX_KID_LENGTH} printable ASCII characters without spaces.`)
}

/** Held to what verifiers ask of a public key: its kind, its strength, and what a JWK says it is for. */
function checkKey(
  key: Pick<NewSigningKey, 'id' | 'algorithm' | 'publicJwk'>,
  stated: Readonly<Record<string, unknown>>,
): VerificationKey {
  checkOperations(stated)
  const { alg, use } = stated
  const purpose = { ...(alg === undefined ? {} : { alg }), ...(use === undefined ? {} : { use }) }
  try {
    return prepareVerificationKey({ ...key, publicJwk: { ...key.publicJwk, ...purpose } })
  } catch (error) {
    if (error instanceof TypeError) throw refused(error.message)
    throw error
  }
}

function checkOperations({ key_ops: operations }: Readonly<Record<string, unknown>>): void {
  if (operations === undefined || (Array.isArray(operations) && operations.includes('sign'))) return
  throw refused('The JWK is not meant to sign.')
}

/** A private part that belongs to another public one reads well, and signs what nobody accepts. */
async function checkPair(
  { id, algorithm, pkcs8 }: { readonly id: string; readonly algorithm: SigningAlgorithm; pkcs8: Buffer },
  verificationKey: VerificationKey,
): Promise<void> {
  const token = await signProbe({ id, algorithm, pkcs8 }).catch(() => '')
  const dot = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(dot + 1), 'base64url')
  if (await verificationKey.verify(token.slice(0, dot), signature)) return
  throw refused('Its private part does not belong to its public part.')
}

/** Rejects for whatever OpenSSL finds wrong with it. */
async function signProbe(key: { id: string; algorithm: SigningAlgorithm; pkcs8: Buffer }): Promise<string> {
  return signToken(openSigningKey(key, key.pkcs8), '{}')
}

function refused(reason: string): CodedError {
  return new CodedError('invalid_request', `The key cannot be imported. ${reason}`)
}
