import { generateKeyPairSync, type KeyObject, type RSAKeyPairOptions, sign } from 'node:crypto'
import type { SigningKeyFact } from '../src/changes/change.ts'
import { ALGORITHMS, type SigningAlgorithm } from '../src/tokens/algorithms.ts'

/** Base64url of a text, or of the JSON of anything else. */
export function encodePart(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

/** A signer of any algorithm of the table, whose tokens may be wrong in every other way. */
export class TokenSigner {
  readonly algorithm: SigningAlgorithm
  readonly id: string
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject

  constructor(algorithm: SigningAlgorithm, id = `${algorithm}-key`) {
    this.algorithm = algorithm
    this.id = id
    const { type, options } = ALGORITHMS[algorithm].generate
    const pair = generateKeyPairSync(type as 'rsa', options as unknown as RSAKeyPairOptions<'pem', 'pem'>)
    const { publicKey, privateKey } = pair as unknown as { publicKey: KeyObject; privateKey: KeyObject }
    this.publicKey = publicKey
    this.privateKey = privateKey
  }

  get publicJwk(): Record<string, unknown> {
    return { ...this.publicKey.export({ format: 'jwk' }) }
  }

  get fact(): SigningKeyFact {
    const { id, algorithm, publicJwk } = this
    return { type: 'signing-key', id, algorithm, status: 'active', publicJwk }
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
    const { digest, toJoseSignature } = ALGORITHMS[this.algorithm]
    const signature = sign(digest, Buffer.from(signingInput), this.privateKey)
    return Buffer.from(toJoseSignature(signature)).toString('base64url')
  }
}
