import {
  ecdsa as ecdsaScheme,
  ed25519,
  type HashName,
  hmac as hmacScheme,
  mlDsa65 as mlDsaScheme,
  rsaPkcs1,
  rsaPss,
  type SignatureScheme,
} from './signature-schemes.ts'

/** Bytes of a signature of ML-DSA-65 (FIPS 204, table 2). */
const ML_DSA_65_SIGNATURE_BYTES = 3309

/** All that sets one signing algorithm apart for those who verify. What signing takes besides is in `signing-traits.ts`. */
export interface AlgorithmTraits extends SignatureScheme {
  /** The `alg` to write into a header and a JWK. */
  readonly joseName: string
  /** Every `alg` that the header of a token signed by such a key may carry. */
  readonly acceptedNames: readonly string[]
  /** Whether it signs and verifies with one secret, which is in no JWK and leaves no server. */
  readonly symmetric: boolean
  /** `kty` of its keys. */
  readonly keyType: string
  /** `crv` of its keys; null: they have none. */
  readonly curve: string | null
  /** The members that make up the key which verifies. Any other that holds key material is refused. */
  readonly keyMembers: readonly string[]
  /** Bytes of a signature in a token; null: as many as the key's modulus. */
  readonly signatureBytes: number | null
}

const TABLE = {
  RS256: rsa('RS256', 'sha256'),
  RS384: rsa('RS384', 'sha384'),
  RS512: rsa('RS512', 'sha512'),
  PS256: pss('PS256', 'sha256'),
  PS384: pss('PS384', 'sha384'),
  PS512: pss('PS512', 'sha512'),
  ES256: ecdsa('ES256', 'P-256', 'sha256', 32),
  ES384: ecdsa('ES384', 'P-384', 'sha384', 48),
  ES512: ecdsa('ES512', 'P-521', 'sha512', 66),
  // RFC 9864 gave the curve a name of its own; older libraries write and read `EdDSA` (RFC 8037).
  Ed25519: edwards('Ed25519', ['Ed25519', 'EdDSA'], 64),
  'ML-DSA-65': mlDsa65(),
  HS256: hmac('HS256', 'sha256', 32),
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
function rsa(joseName: string, hash: HashName): AlgorithmTraits {
  return {
    joseName,
    acceptedNames: [joseName],
    symmetric: false,
    keyType: 'RSA',
    curve: null,
    keyMembers: ['n', 'e'],
    signatureBytes: null,
    ...rsaPkcs1(hash),
  }
}

/** RSASSA-PSS (RFC 7518, section 3.5). */
function pss(joseName: string, hash: HashName): AlgorithmTraits {
  return { ...rsa(joseName, hash), ...rsaPss(hash) }
}

/** ECDSA (RFC 7518, section 3.4). */
function ecdsa(joseName: string, curve: string, hash: HashName, integerBytes: number): AlgorithmTraits {
  return {
    joseName,
    acceptedNames: [joseName],
    symmetric: false,
    keyType: 'EC',
    curve,
    keyMembers: ['x', 'y'],
    signatureBytes: 2 * integerBytes,
    ...ecdsaScheme(hash, integerBytes),
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
    symmetric: false,
    keyType: 'OKP',
    curve,
    keyMembers: ['x'],
    signatureBytes,
    ...ed25519(),
  }
}

/** ML-DSA, the lattice signature that a quantum computer does not break (FIPS 204, RFC 9964). */
function mlDsa65(): AlgorithmTraits {
  return {
    joseName: 'ML-DSA-65',
    acceptedNames: ['ML-DSA-65'],
    symmetric: false,
    keyType: 'AKP',
    curve: null,
    // Of this type of key the algorithm is a part: `kty` and `pub` alone are no key.
    keyMembers: ['alg', 'pub'],
    signatureBytes: ML_DSA_65_SIGNATURE_BYTES,
    ...mlDsaScheme(),
  }
}

/** HMAC (RFC 7518, section 3.2): only who could have signed a token can verify it. */
function hmac(joseName: string, hash: HashName, digestBytes: number): AlgorithmTraits {
  return {
    joseName,
    acceptedNames: [joseName],
    symmetric: true,
    keyType: 'oct',
    curve: null,
    keyMembers: [],
    signatureBytes: digestBytes,
    ...hmacScheme(hash),
  }
}
