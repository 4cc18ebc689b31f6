import { importPublicJwk, type VerificationKeyHandle, verifySignature } from '../crypto.ts'
import { ecdsaFromDer, ecdsaToDer } from './ecdsa-signature.ts'

/** All that sets one signing algorithm apart: for those who verify, and for those who sign. */
export interface AlgorithmTraits {
  /** The `alg` to write into a header and a JWK. */
  readonly joseName: string
  /** Every `alg` that the header of a token signed by such a key may carry. */
  readonly acceptedNames: readonly string[]
  /** `kty` of its keys. */
  readonly keyType: string
  /** `crv` of its keys; null: they have none. */
  readonly curve: string | null
  /** The members that make up the key which verifies. Any other that holds key material is refused. */
  readonly keyMembers: readonly string[]
  /** Bytes of a signature in a token; null: as many as the key's modulus. */
  readonly signatureBytes: number | null
  /** The digest to name to `crypto.sign`; null: the algorithm brings its own. */
  readonly digest: string | null
  /** The arguments of `crypto.generateKeyPair`. */
  readonly generate: { readonly type: string; readonly options: Readonly<Record<string, string | number>> }
  /** Prepares the key which verifies. Throws a TypeError when the JWK is no key. */
  readonly importKey: (jwk: Readonly<Record<string, unknown>>) => VerificationKeyHandle
  /** Checks a signature as it stands in a token. Its length has been checked. */
  readonly verify: (
    key: VerificationKeyHandle,
    signingInput: string | Uint8Array,
    signature: Uint8Array,
  ) => boolean
  /** Turns what `crypto.sign` gives into what stands in a token. */
  readonly toJoseSignature: (signature: Uint8Array) => Uint8Array
}

const TABLE = {
  RS256: rsa('RS256', 'sha256'),
  ES256: ecdsa('ES256', 'P-256', 'sha256', 32),
  // RFC 9864 gave the curve a name of its own; older libraries write and read `EdDSA` (RFC 8037).
  Ed25519: edwards('Ed25519', ['Ed25519', 'EdDSA'], 64),
} as const satisfies Record<string, AlgorithmTraits>

export type SigningAlgorithm = keyof typeof TABLE

/** The one table of algorithms. One that is not in it is neither verified nor signed with. */
export const ALGORITHMS: Readonly<Record<SigningAlgorithm, AlgorithmTraits>> = Object.freeze(TABLE)

export function isSigningAlgorithm(name: string): name is SigningAlgorithm {
  return Object.hasOwn(ALGORITHMS, name)
}

/**
 * Whether a header with this `alg` may stand over a token signed by a key of this algorithm. The key decides
 * what is computed; a header that says something else is refused (RFC 8725, section 3.1).
 */
export function acceptsHeader(algorithm: SigningAlgorithm, headerAlg: string): boolean {
  return ALGORITHMS[algorithm].acceptedNames.includes(headerAlg)
}

/** RSASSA-PKCS1-v1_5 (RFC 7518, section 3.3). */
function rsa(joseName: string, digest: string): AlgorithmTraits {
  return {
    joseName,
    acceptedNames: [joseName],
    keyType: 'RSA',
    curve: null,
    keyMembers: ['n', 'e'],
    signatureBytes: null,
    digest,
    generate: { type: 'rsa', options: { modulusLength: 2048, publicExponent: 0x10001 } },
    importKey: importPublicJwk,
    verify: (key, signingInput, signature) => verifySignature(digest, key, signingInput, signature),
    toJoseSignature: (signature) => signature,
  }
}

/** ECDSA (RFC 7518, section 3.4). */
function ecdsa(joseName: string, curve: string, digest: string, integerBytes: number): AlgorithmTraits {
  return {
    joseName,
    acceptedNames: [joseName],
    keyType: 'EC',
    curve,
    keyMembers: ['x', 'y'],
    signatureBytes: 2 * integerBytes,
    digest,
    generate: { type: 'ec', options: { namedCurve: curve } },
    importKey: importPublicJwk,
    verify: (key, signingInput, signature) => {
      const der = ecdsaToDer(signature, integerBytes)
      return der !== undefined && verifySignature(digest, key, signingInput, der)
    },
    toJoseSignature: (signature) => {
      const raw = ecdsaFromDer(signature, integerBytes)
      if (raw === undefined) throw new TypeError('The signer gave no DER signature of this curve.')
      return raw
    },
  }
}

/** EdDSA, named by its curve (RFC 8037, RFC 9864). */
function edwards(
  curve: 'Ed25519',
  acceptedNames: readonly string[],
  signatureBytes: number,
): AlgorithmTraits {
  return {
    joseName: curve,
    acceptedNames,
    keyType: 'OKP',
    curve,
    keyMembers: ['x'],
    signatureBytes,
    digest: null,
    generate: { type: 'ed25519', options: {} },
    importKey: importPublicJwk,
    verify: (key, signingInput, signature) => verifySignature(null, key, signingInput, signature),
    toJoseSignature: (signature) => signature,
  }
}
