import {
  createHmac,
  generateKeyPairSync,
  generateKeySync,
  type KeyObject,
  type RSAKeyPairOptions,
  sign,
} from 'node:crypto'
import type { SigningKeyFact } from '../src/changes/change.ts'
import { ALGORITHMS, type SigningAlgorithm } from '../src/tokens/algorithms.ts'
import { SIGNING_TRAITS, type SigningTraits } from '../src/tokens/signing-traits.ts'

/** Base64url of a text, or of the JSON of anything else. */
export function encodePart(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

/** A signer of any algorithm of the table, whose tokens may be wrong in every other way. */
export class TokenSigner {
  readonly algorithm: SigningAlgorithm
  readonly id: string
  /** Of a symmetric algorithm its secret, like the private key. */
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  /** The private key as its algorithm wants it for signing. */
  readonly #signingKey: KeyObject

  constructor(algorithm: SigningAlgorithm, id = `${algorithm}-key`) {
    this.algorithm = algorithm
    this.id = id
    const traits = SIGNING_TRAITS[algorithm]
    const { publicKey, privateKey } = generate(traits)
    this.publicKey = publicKey
    this.privateKey = privateKey
    this.#signingKey = traits.importSigningKey(
      traits.symmetric ? privateKey.export() : privateKey.export({ format: 'der', type: 'pkcs8' }),
    )
  }

  get publicJwk(): Record<string, unknown> {
    return ALGORITHMS[this.algorithm].symmetric
      ? { kty: 'oct' }
      : { ...this.publicKey.export({ format: 'jwk' }) }
  }

  get fact(): SigningKeyFact {
    const { id, algorithm, publicJwk } = this
    const fact = { type: 'signing-key', id, algorithm, status: 'active', publicJwk } as const
    return ALGORITHMS[algorithm].symmetric ? { ...fact, secret: this.publicKey } : fact
  }

  get header(): Record<string, unknown> {
    return { alg: ALGORITHMS[this.algorithm].joseName, kid: this.id, typ: 'at+jwt' }
  }

  /** A token of this payload; header members given are added to, or replace, the usual ones. */
  token(payload: unknown, header: Record<string, unknown> = {}): string {
    return this.tokenOfParts(encodePart({ ...this.header, ...header }), encodePart(payload))
  }

  /** A token of two parts as they stand. */
  tokenOfParts(header: string, payload: string): string {
    return `${header}.${payload}.${this.signature(`${header}.${payload}`)}`
  }

  /** The signature as it stands in a token. */
  signature(signingInput: string): string {
    const { digest, symmetric, toJoseSignature } = SIGNING_TRAITS[this.algorithm]
    const input = Buffer.from(signingInput)
    if (symmetric) {
      return createHmac(digest ?? '', this.#signingKey)
        .update(input)
        .digest('base64url')
    }
    return Buffer.from(toJoseSignature(sign(digest, input, this.#signingKey))).toString('base64url')
  }
}

function generate({ symmetric, generate: { type, options } }: SigningTraits): {
  publicKey: KeyObject
  privateKey: KeyObject
} {
  if (symmetric) {
    const secret = generateKeySync(type as 'hmac', options as unknown as { length: number })
    return { publicKey: secret, privateKey: secret }
  }
  const pair = generateKeyPairSync(type as 'rsa', options as unknown as RSAKeyPairOptions<'pem', 'pem'>)
  return pair as unknown as { publicKey: KeyObject; privateKey: KeyObject }
}
