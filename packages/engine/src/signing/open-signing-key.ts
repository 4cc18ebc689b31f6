import { createPrivateKey, type KeyObject } from 'node:crypto'
import { ALGORITHMS, type AlgorithmTraits, type SigningAlgorithm } from '@claviger/verify'

/** A signing key that is ready to sign. */
export interface OpenSigningKey {
  /** The JWS `kid`. */
  readonly id: string
  readonly traits: AlgorithmTraits
  readonly privateKey: KeyObject
  /** The encoded header of every access token that the key signs. */
  readonly header: string
  /** Characters of a signature as it stands in a token. */
  readonly signatureLength: number
}

/** Makes a private key ready to sign. `pkcs8` is overwritten. */
export function openSigningKey(
  { id, algorithm }: { readonly id: string; readonly algorithm: SigningAlgorithm },
  pkcs8: Buffer,
): OpenSigningKey {
  const traits: AlgorithmTraits = ALGORITHMS[algorithm]
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  pkcs8.fill(0)
  const header = JSON.stringify({ alg: traits.joseName, typ: 'at+jwt', kid: id })
  return {
    id,
    traits,
    privateKey,
    header: Buffer.from(header).toString('base64url'),
    signatureLength: base64UrlLength(traits.signatureBytes ?? modulusBytes(privateKey)),
  }
}

function modulusBytes(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
}

function base64UrlLength(bytes: number): number {
  return Math.ceil((bytes * 4) / 3)
}
