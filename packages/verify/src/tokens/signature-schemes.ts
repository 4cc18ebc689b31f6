import {
  exportSpki,
  importPublicJwk,
  importSpki,
  secretBytes,
  type VerificationKeyHandle,
  verifyMac,
  verifySignature,
} from '../crypto.ts'
import { ecdsaToDer } from './ecdsa-signature.ts'
import { hasMlDsa65, importMlDsa65 } from './ml-dsa.ts'
import { bindKeyToPss } from './rsa-pss.ts'

export type HashName = 'sha256' | 'sha384' | 'sha512'

/**
 * How a kind of signature is checked by this runtime. The portable build replaces this file by one of the same face
 * that stands on WebCrypto (`portable/signature-schemes.ts`).
 */
export interface SignatureScheme<Key = VerificationKeyHandle> {
  /** Prepares the key which verifies. Throws a TypeError when the JWK is no key, or the secret that is needed none. */
  readonly importKey: (jwk: Readonly<Record<string, unknown>>, secret?: Key) => Key
  /** Whether this runtime has it. */
  readonly isSupported: () => boolean
  /**
   * Checks a signature as it stands in a token. Its length has been checked. Here it answers at once; a runtime whose
   * only way is WebCrypto answers with a promise, which never rejects.
   */
  readonly verify: (
    key: Key,
    signingInput: string | Uint8Array,
    signature: Uint8Array,
  ) => boolean | Promise<boolean>
}

/** RSASSA-PKCS1-v1_5 (RFC 7518, section 3.3). */
export function rsaPkcs1(hash: HashName): SignatureScheme {
  return {
    importKey: importPublicJwk,
    isSupported: () => true,
    verify: (key, signingInput, signature) => verifySignature(hash, key, signingInput, signature),
  }
}

/** RSASSA-PSS (RFC 7518, section 3.5). Its keys are kept as plain RSA keys, and bound to it when they are prepared. */
export function rsaPss(hash: HashName): SignatureScheme {
  return {
    ...rsaPkcs1(hash),
    importKey: (jwk) => importSpki(bindKeyToPss(exportSpki(importPublicJwk(jwk)), hash)),
  }
}

/** ECDSA (RFC 7518, section 3.4). */
export function ecdsa(hash: HashName, integerBytes: number): SignatureScheme {
  return {
    importKey: importPublicJwk,
    isSupported: () => true,
    verify: (key, signingInput, signature) => {
      const der = ecdsaToDer(signature, integerBytes)
      return der !== undefined && verifySignature(hash, key, signingInput, der)
    },
  }
}

/** EdDSA on the curve Ed25519 (RFC 8037). */
export function ed25519(): SignatureScheme {
  return {
    importKey: importPublicJwk,
    isSupported: () => true,
    verify: (key, signingInput, signature) => verifySignature(null, key, signingInput, signature),
  }
}

/** ML-DSA-65 (FIPS 204). */
export function mlDsa65(): SignatureScheme {
  return {
    importKey: importMlDsa65,
    isSupported: hasMlDsa65,
    verify: (key, signingInput, signature) => verifySignature(null, key, signingInput, signature),
  }
}

/** HMAC (RFC 2104). Its secret is in no JWK, and as long as the digest or longer (RFC 7518, section 3.2). */
export function hmac(hash: HashName): SignatureScheme {
  const leastBytes = Number(hash.slice(3)) / 8
  return {
    importKey: (_jwk, secret) => {
      if (secret !== undefined && (secretBytes(secret) ?? 0) >= leastBytes) return secret
      throw new TypeError(`The algorithm needs a secret of ${leastBytes} bytes or more.`)
    },
    isSupported: () => true,
    verify: (key, signingInput, signature) => verifyMac(hash, key, signingInput, signature),
  }
}
