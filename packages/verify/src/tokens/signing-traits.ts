import { importPkcs8, importSecret, type SigningKeyHandle } from '../crypto.ts'
import { ALGORITHMS, type AlgorithmTraits, type SigningAlgorithm } from './algorithms.ts'
import { ecdsaFromDer } from './ecdsa-signature.ts'
import { bindKeyToPss, type PssHash } from './rsa-pss.ts'
import type { HashName } from './signature-schemes.ts'

/**
 * An algorithm with all that those who sign need of it besides. Apart from `algorithms.ts`, so that a verifier at an
 * edge carries nothing that could sign.
 */
export interface SigningTraits extends AlgorithmTraits {
  /** The digest to name to `crypto.sign` or `createHmac`; null: the algorithm brings its own. */
  readonly digest: HashName | null
  /** The arguments of `crypto.generateKeyPair`, or of `generateKey` for a symmetric one. */
  readonly generate: { readonly type: string; readonly options: Readonly<Record<string, string | number>> }
  /** Prepares the key which signs: from PKCS #8, or from a secret's bytes. Throws a TypeError when they are none. */
  readonly importSigningKey: (bytes: Uint8Array) => SigningKeyHandle
  /** Turns what `crypto.sign` gives into what stands in a token. */
  readonly toJoseSignature: (signature: Uint8Array) => Uint8Array
}

/** The table of algorithms, for those who sign. */
export const SIGNING_TRAITS: Readonly<Record<SigningAlgorithm, SigningTraits>> = Object.freeze({
  RS256: rsa('RS256', 'sha256'),
  RS384: rsa('RS384', 'sha384'),
  RS512: rsa('RS512', 'sha512'),
  PS256: pss('PS256', 'sha256'),
  PS384: pss('PS384', 'sha384'),
  PS512: pss('PS512', 'sha512'),
  ES256: ecdsa('ES256', 'P-256', 'sha256', 32),
  ES384: ecdsa('ES384', 'P-384', 'sha384', 48),
  ES512: ecdsa('ES512', 'P-521', 'sha512', 66),
  Ed25519: plain('Ed25519', { type: 'ed25519', options: {} }),
  'ML-DSA-65': plain('ML-DSA-65', { type: 'ml-dsa-65', options: {} }),
  HS256: {
    ...plain('HS256', { type: 'hmac', options: { length: 256 } }),
    digest: 'sha256',
    importSigningKey: importSecret,
  },
})

function plain(algorithm: SigningAlgorithm, generate: SigningTraits['generate']): SigningTraits {
  return {
    ...ALGORITHMS[algorithm],
    digest: null,
    generate,
    importSigningKey: importPkcs8,
    toJoseSignature: (signature) => signature,
  }
}

function rsa(algorithm: SigningAlgorithm, digest: HashName): SigningTraits {
  const generate = { type: 'rsa', options: { modulusLength: 2048, publicExponent: 0x10001 } }
  return { ...plain(algorithm, generate), digest }
}

function pss(algorithm: SigningAlgorithm, hash: PssHash): SigningTraits {
  return { ...rsa(algorithm, hash), importSigningKey: (pkcs8) => importPkcs8(bindKeyToPss(pkcs8, hash)) }
}

function ecdsa(
  algorithm: SigningAlgorithm,
  namedCurve: string,
  digest: HashName,
  integerBytes: number,
): SigningTraits {
  return {
    ...plain(algorithm, { type: 'ec', options: { namedCurve } }),
    digest,
    toJoseSignature: (signature) => {
      const raw = ecdsaFromDer(signature, integerBytes)
      if (raw === undefined) throw new TypeError('The signer gave no DER signature of this curve.')
      return raw
    },
  }
}
