import {
  exportSpki,
  importPkcs8,
  importPublicJwk,
  importSecret,
  importSpki,
  type SigningKeyHandle,
  type VerificationKeyHandle,
  verifyMac,
  verifySignature,
} from '../crypto.ts'
import { ecdsaFromDer, ecdsaToDer } from './ecdsa-signature.ts'
import { hasMlDsa65, importMlDsa65, ML_DSA_65_SIGNATURE_BYTES } from './ml-dsa.ts'
import { bindToPss, type PssHash } from './rsa-pss.ts'

/** All that sets one signing algorithm apart: for those who verify, and for those who sign. */
export interface AlgorithmTraits {
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
  /** The digest to name to `crypto.sign` or `createHmac`; null: the algorithm brings its own. */
  readonly digest: string | null
  /** The arguments of `crypto.generateKeyPair`, or of `generateKey` for a symmetric one. */
  readonly generate: { readonly type: string; readonly options: Readonly<Record<string, string | number>> }
  /** Prepares the key which verifies. Throws a TypeError when the JWK is no key. */
  readonly importKey: (jwk: Readonly<Record<string, unknown>>) => VerificationKeyHandle
  /** Prepares the key which signs: from PKCS #8, or from a secret's bytes. Throws a TypeError when they are none. */
  readonly importSigningKey: (bytes: Uint8Array) => SigningKeyHandle
  /** Whether this runtime has it. */
  readonly isSupported: () => boolean
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

/** Every `alg` that the header of a token of ours may carry: the names of the algorithms, and older ones. */
export type HeaderAlgorithm = SigningAlgorithm | 'EdDSA'

export const HEADER_ALGORITHMS: readonly HeaderAlgorithm[] = Object.freeze([
  ...(Object.keys(TABLE) as SigningAlgorithm[]),
  'EdDSA',
])

export function isHeaderAlgorithm(name: string): name is HeaderAlgorithm {
  return HEADER_ALGORITHMS.some((known) => known === name)
}

/** The algorithm of the keys that sign under this name. */
export function signingAlgorithmOf(name: HeaderAlgorithm): SigningAlgorithm {
  return name === 'EdDSA' ? 'Ed25519' : name
}

/** RSASSA-PKCS1-v1_5 (RFC 7518, section 3.3). */
function rsa(joseName: string, digest: string): AlgorithmTraits {
  return {
    joseName,
    acceptedNames: [joseName],
    symmetric: false,
    keyType: 'RSA',
    curve: null,
    keyMembers: ['n', 'e'],
    signatureBytes: null,
    digest,
    generate: { type: 'rsa', options: { modulusLength: 2048, publicExponent: 0x10001 } },
    importKey: importPublicJwk,
    importSigningKey: importPkcs8,
    isSupported: () => true,
    verify: (key, signingInput, signature) => verifySignature(digest, key, signingInput, signature),
    toJoseSignature: (signature) => signature,
  }
}

/** RSASSA-PSS (RFC 7518, section 3.5). Its keys are kept as plain RSA keys, and bound to it when they are prepared. */
function pss(joseName: string, hash: PssHash): AlgorithmTraits {
  const bind = (der: Uint8Array): Uint8Array => {
    const bound = bindToPss(der, hash)
    if (bound === undefined) throw new TypeError(`The key is no RSA key that ${joseName} can be used with.`)
    return bound
  }
  return {
    ...rsa(joseName, hash),
    importKey: (jwk) => importSpki(bind(exportSpki(importPublicJwk(jwk)))),
    importSigningKey: (pkcs8) => importPkcs8(bind(pkcs8)),
  }
}

/** ECDSA (RFC 7518, section 3.4). */
function ecdsa(joseName: string, curve: string, digest: string, integerBytes: number): AlgorithmTraits {
  return {
    joseName,
    acceptedNames: [joseName],
    symmetric: false,
    keyType: 'EC',
    curve,
    keyMembers: ['x', 'y'],
    signatureBytes: 2 * integerBytes,
    digest,
    generate: { type: 'ec', options: { namedCurve: curve } },
    importKey: importPublicJwk,
    importSigningKey: importPkcs8,
    isSupported: () => true,
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
    symmetric: false,
    keyType: 'OKP',
    curve,
    keyMembers: ['x'],
    signatureBytes,
    digest: null,
    generate: { type: 'ed25519', options: {} },
    importKey: importPublicJwk,
    importSigningKey: importPkcs8,
    isSupported: () => true,
    verify: (key, signingInput, signature) => verifySignature(null, key, signingInput, signature),
    toJoseSignature: (signature) => signature,
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
    digest: null,
    generate: { type: 'ml-dsa-65', options: {} },
    importKey: importMlDsa65,
    importSigningKey: importPkcs8,
    isSupported: hasMlDsa65,
    verify: (key, signingInput, signature) => verifySignature(null, key, signingInput, signature),
    toJoseSignature: (signature) => signature,
  }
}

/** HMAC (RFC 7518, section 3.2): only who could have signed a token can verify it. */
function hmac(joseName: string, digest: string, digestBytes: number): AlgorithmTraits {
  return {
    joseName,
    acceptedNames: [joseName],
    symmetric: true,
    keyType: 'oct',
    curve: null,
    keyMembers: [],
    signatureBytes: digestBytes,
    digest,
    generate: { type: 'hmac', options: { length: 8 * digestBytes } },
    importKey: () => {
      throw new TypeError(`A secret of ${joseName} is in no JWK.`)
    },
    importSigningKey: importSecret,
    isSupported: () => true,
    verify: (key, signingInput, signature) => verifyMac(digest, key, signingInput, signature),
    toJoseSignature: (signature) => signature,
  }
}
