import {
  ALGORITHMS,
  type AlgorithmTraits,
  type Fact,
  isSigningAlgorithm,
  SIGNING_TRAITS,
  type SigningAlgorithm,
  type SigningKeyFact,
  type VerificationKeyHandle,
} from '@claviger/verify'
import type { EngineParts } from '../scope.ts'
import { signingKeyPlace } from './make-signing-key.ts'

const SYMMETRIC = (Object.keys(ALGORITHMS) as SigningAlgorithm[]).filter(isSymmetric)

/**
 * The secrets of a project's symmetric signing keys, opened for the verifiers of this process. No fact in the database
 * or on its way to another process holds one (decision 0010).
 */
export class SymmetricSecrets {
  readonly #parts: Pick<EngineParts, 'reader' | 'sealer'>
  readonly #projectId: string
  #secrets: ReadonlyMap<string, VerificationKeyHandle> = new Map()

  constructor(parts: Pick<EngineParts, 'reader' | 'sealer'>, projectId: string) {
    this.#parts = parts
    this.#projectId = projectId
  }

  /** Opens those of all keys that are not retired. Throws `internal` when one was altered. */
  async load(): Promise<void> {
    const { reader, sealer } = this.#parts
    const rows = await reader
      .selectFrom('signing_keys')
      .select(['id', 'algorithm', 'private_sealed'])
      .where('project_id', '=', this.#projectId)
      .where('algorithm', 'in', SYMMETRIC)
      .where('status', '!=', 'retired')
      .execute()
    const secrets = new Map<string, VerificationKeyHandle>()
    for (const { id, algorithm, private_sealed: sealed } of rows) {
      if (!isSigningAlgorithm(algorithm)) continue
      const secret = sealer.open(signingKeyPlace(this.#projectId, id), sealed)
      secrets.set(id, SIGNING_TRAITS[algorithm].importSigningKey(secret))
      secret.fill(0)
    }
    this.#secrets = secrets
  }

  /** The fact with its secret, if it is about a symmetric key whose secret is open. */
  addTo(fact: SigningKeyFact): SigningKeyFact {
    const secret = isSymmetric(fact.algorithm) ? this.#secrets.get(fact.id) : undefined
    return secret === undefined ? fact : { ...fact, secret }
  }

  /** Whether the fact tells of a key whose secret has yet to be opened. */
  lacks(fact: Fact): boolean {
    return (
      fact.type === 'signing-key' &&
      fact.status !== 'retired' &&
      isSymmetric(fact.algorithm) &&
      !this.#secrets.has(fact.id)
    )
  }
}

function isSymmetric(algorithm: string): boolean {
  if (!isSigningAlgorithm(algorithm)) return false
  const { symmetric }: AlgorithmTraits = ALGORITHMS[algorithm]
  return symmetric
}
