import {
  ALGORITHMS,
  type AlgorithmTraits,
  type HeaderAlgorithm,
  isSigningAlgorithm,
  type SigningKeyHandle,
} from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { EngineParts } from '../scope.ts'
import { addSigningKey, type Ring } from './add-signing-key.ts'
import { signingKeyPlace } from './make-signing-key.ts'

/** A signing key that is ready to sign. */
export interface OpenSigningKey {
  /** The JWS `kid`. */
  readonly id: string
  readonly traits: AlgorithmTraits
  /** Or the secret of a symmetric algorithm. */
  readonly privateKey: SigningKeyHandle
  /** The encoded header of every access token that the key signs. */
  readonly header: string
  /** Characters of a signature as it stands in a token. */
  readonly signatureLength: number
}

/** About 3 KB each. A process that signs for more projects opens the others again, 0.1 ms each. */
const MAX_OPEN = 1_000

/** The private keys that this process has opened, and the rings that it is beginning. */
export class Keyring {
  readonly #parts: Pick<EngineParts, 'reader' | 'writer' | 'sealer'>
  readonly #open = new Map<string, OpenSigningKey>()
  readonly #beginning = new Map<string, Promise<string>>()

  constructor(parts: Pick<EngineParts, 'reader' | 'writer' | 'sealer'>) {
    this.#parts = parts
  }

  /** Opens a key of the project; one that was opened before costs a look-up. */
  async open(projectId: string, id: string): Promise<OpenSigningKey> {
    const known = this.#open.get(id)
    if (known !== undefined) return known
    const opened = await this.#unseal(projectId, id)
    if (this.#open.size >= MAX_OPEN) {
      for (const oldest of this.#open.keys()) {
        this.#open.delete(oldest)
        break
      }
    }
    this.#open.set(id, opened)
    return opened
  }

  /**
   * Begins a ring that the project does not have yet, and answers the `kid` of its key. Demands that come while it
   * begins wait for the same one: a key pair for each would keep the thread pool busy for seconds.
   */
  begin(ring: Ring): Promise<string> {
    const name = `${ring.algorithm}/${ring.projectId}`
    const beginning =
      this.#beginning.get(name) ??
      addSigningKey(this.#parts, ring).finally(() => void this.#beginning.delete(name))
    this.#beginning.set(name, beginning)
    return beginning
  }

  async #unseal(projectId: string, id: string): Promise<OpenSigningKey> {
    const row = await this.#parts.reader
      .selectFrom('signing_keys')
      .select(['algorithm', 'private_sealed'])
      .where('id', '=', id)
      .where('project_id', '=', projectId)
      .executeTakeFirst()
    if (row === undefined || !isSigningAlgorithm(row.algorithm)) {
      throw new CodedError(
        'internal',
        `The signing key ${id} is missing, or its algorithm is not known here.`,
      )
    }
    const traits: AlgorithmTraits = ALGORITHMS[row.algorithm]
    const opened = this.#parts.sealer.open(signingKeyPlace(projectId, id), row.private_sealed)
    const privateKey = traits.importSigningKey(opened)
    opened.fill(0)
    return {
      id,
      traits,
      privateKey,
      header: encodeHeader(traits.joseName, id),
      signatureLength: base64UrlLength(traits.signatureBytes ?? modulusBytes(privateKey)),
    }
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
