import {
  type HeaderAlgorithm,
  SIGNING_TRAITS,
  type SigningAlgorithm,
  type SigningKeyHandle,
  type SigningTraits,
} from '@claviger/verify'

/** A signing key that is ready to sign. */
export interface OpenSigningKey {
  /** The JWS `kid`. */
  readonly id: string
  readonly traits: SigningTraits
  /** Or the secret of a symmetric algorithm. */
  readonly privateKey: SigningKeyHandle
  /** The encoded header of every access token that the key signs. */
  readonly header: string
  /** Characters of a signature as it stands in a token. */
  readonly signatureLength: number
}

/** Makes a private key, or a secret, ready to sign. `bytes` are overwritten. */
export function openSigningKey(
  { id, algorithm }: { readonly id: string; readonly algorithm: SigningAlgorithm },
  bytes: Uint8Array,
): OpenSigningKey {
  const traits = SIGNING_TRAITS[algorithm]
  const privateKey = traits.importSigningKey(bytes)
  bytes.fill(0)
  return {
    id,
    traits,
    privateKey,
    header: encodeHeader(traits.joseName, id),
    signatureLength: base64UrlLength(traits.signatureBytes ?? modulusBytes(privateKey)),
  }
}

/** The same key, signing under another name of its algorithm: Ed25519 as `EdDSA`, for who knows no newer name. */
export function signingAs(key: OpenSigningKey, name: HeaderAlgorithm): OpenSigningKey {
  return name === key.traits.joseName ? key : { ...key, header: encodeHeader(name, key.id) }
}

function encodeHeader(alg: string, kid: string): string {
  return Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid })).toString('base64url')
}

function modulusBytes(key: SigningKeyHandle): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
}

function base64UrlLength(bytes: number): number {
  return Math.ceil((bytes * 4) / 3)
}
