import { keyDetails, type VerificationKeyHandle } from '../crypto.ts'
import { ALGORITHMS, type AlgorithmTraits, isSigningAlgorithm, type SigningAlgorithm } from './algorithms.ts'
import { isBase64Url } from './base64url.ts'

const MIN_MODULUS_BITS = 2048
/** Verification takes time with the square of the modulus: beyond this a key is a way to stop us. */
const MAX_MODULUS_BITS = 8192
const MAX_PUBLIC_EXPONENT = 2n ** 32n

/** Every JWK member that holds key material (RFC 7518, section 6; RFC 8037; RFC 9964). */
const KEY_MATERIAL = ['n', 'e', 'x', 'y', 'pub', 'd', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/** A key that checks signatures, with the one algorithm it may be used for. */
export interface VerificationKey {
  /** The JWS `kid`. */
  readonly id: string
  readonly algorithm: SigningAlgorithm
  /** Until when tokens of more than usual life count; 0: there are none. */
  readonly tokensUntilMs: number
  /**
   * Whether the signature, as it stands in a token, is this key's over the text. Never throws or rejects. In Node it
   * answers at once; where there is only WebCrypto, with a promise, so compare with `true`.
   */
  verify(signingInput: string | Uint8Array, signature: Uint8Array): boolean | Promise<boolean>
}

/**
 * Checks a JWK against the algorithm it is to serve, and prepares it, once, for many verifications.
 * Throws a TypeError that says what does not fit: another key type or curve, an RSA modulus below 2048 bits,
 * an exponent that is 1, even or beyond 32 bits, private or symmetric members, another `alg`, `use` or
 * `key_ops`, an algorithm that this runtime lacks.
 *
 * A symmetric algorithm takes its `secret` beside the JWK, which says no more than `kty`; no other takes one. So
 * no text that was published can become a secret, whatever a token claims (RFC 8725, section 2.1).
 */
export function prepareVerificationKey(given: {
  readonly id: string
  readonly algorithm: SigningAlgorithm
  readonly publicJwk: Readonly<Record<string, unknown>>
  readonly secret?: VerificationKeyHandle
  readonly tokensUntilMs?: number
}): VerificationKey {
  const { id, algorithm, publicJwk, secret, tokensUntilMs = 0 } = given
  if (!isSigningAlgorithm(algorithm)) throw new TypeError('The algorithm of the signing key is not known.')
  const traits: AlgorithmTraits = ALGORITHMS[algorithm]
  const { symmetric, verify } = traits
  checkMembers(publicJwk, traits)
  if (secret !== undefined && !symmetric) throw new TypeError(`${traits.joseName} takes no secret.`)
  const handle = traits.importKey(publicJwk, secret)
  if (traits.keyType === 'RSA') checkRsa(handle)
  const signatureBytes = traits.signatureBytes ?? modulusBytes(handle)
  return Object.freeze({
    id,
    algorithm,
    tokensUntilMs,
    verify: (signingInput: string | Uint8Array, signature: Uint8Array): boolean | Promise<boolean> =>
      signature.length === signatureBytes && verify(handle, signingInput, signature),
  })
}

function checkMembers(jwk: Readonly<Record<string, unknown>>, traits: AlgorithmTraits): void {
  if (jwk.kty !== traits.keyType || (traits.curve !== null && jwk.crv !== traits.curve)) {
    throw new TypeError(`The JWK is no key for ${traits.joseName}: its type or curve is another.`)
  }
  for (const name of KEY_MATERIAL) {
    const value = jwk[name]
    if (!traits.keyMembers.includes(name)) {
      if (value !== undefined) throw new TypeError(`The JWK has a member that no public key has: ${name}.`)
    } else if (typeof value !== 'string' || value === '' || !isBase64Url(value)) {
      throw new TypeError(`The member ${name} of the JWK is not base64url.`)
    }
  }
  const mustNameAlg = traits.keyMembers.includes('alg')
  if ((jwk.alg !== undefined || mustNameAlg) && !traits.acceptedNames.some((name) => name === jwk.alg)) {
    throw new TypeError(`The JWK is meant for another algorithm than ${traits.joseName}.`)
  }
  const { use = 'sig', key_ops: operations = ['verify'] } = jwk
  if (use !== 'sig' || !Array.isArray(operations) || !operations.includes('verify')) {
    throw new TypeError('The JWK is not meant for signatures, or not to verify them.')
  }
}

function checkRsa(handle: VerificationKeyHandle): void {
  const { modulusBits, publicExponent } = keyDetails(handle)
  if (modulusBits === null || modulusBits < MIN_MODULUS_BITS || modulusBits > MAX_MODULUS_BITS) {
    throw new TypeError(`An RSA key needs a modulus of ${MIN_MODULUS_BITS} to ${MAX_MODULUS_BITS} bits.`)
  }
  if (
    publicExponent === null ||
    publicExponent < 3n ||
    publicExponent % 2n === 0n ||
    publicExponent > MAX_PUBLIC_EXPONENT
  ) {
    throw new TypeError('An RSA key needs an odd public exponent from 3 to 2^32.')
  }
}

function modulusBytes(handle: VerificationKeyHandle): number {
  return Math.ceil((keyDetails(handle).modulusBits ?? 0) / 8)
}
