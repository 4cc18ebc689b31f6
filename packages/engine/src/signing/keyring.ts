import { type Change, type HeaderAlgorithm, isSigningAlgorithm } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { EngineParts } from '../scope.ts'
import { addSigningKey } from './add-signing-key.ts'
import { signingKeyPlace } from './make-signing-key.ts'
import { type OpenSigningKey, openSigningKey, signingAs } from './open-signing-key.ts'
import type { Ring } from './ring.ts'
import { signToken } from './sign-token.ts'

/** A ring, and the key that was read to be its active one. */
export interface SigningRing extends Ring {
  readonly signingKeyId: string
  /** The name of its algorithm that the tokens are to carry. */
  readonly signedAs: HeaderAlgorithm
}

type KeyringParts = Pick<EngineParts, 'reader' | 'writer' | 'sealer'>

/** About 3 KB each. A process that signs for more projects opens the others again, 0.1 ms each. */
const MAX_OPEN = 1_000

/**
 * The private keys that this process has opened, and the rings that it is beginning. Which key of a ring is the active one
 * is read anew for each token; what is kept here is only what opening it costs.
 */
export class Keyring {
  readonly #parts: KeyringParts
  readonly #open = new Map<string, OpenSigningKey>()
  readonly #beginning = new Map<string, Promise<string>>()
  /** Keys that were retired while this process runs; they are few, and never come back. */
  readonly #retired = new Set<string>()

  constructor(parts: KeyringParts) {
    this.#parts = parts
    parts.writer.onChanges((projectId, change) => this.#apply(projectId, change))
  }

  /** Opens a key of the project; one that was opened before costs a look-up. */
  async open(projectId: string, id: string): Promise<OpenSigningKey> {
    const opened = await this.#find(projectId, id)
    if (opened === undefined) throw new CodedError('internal', `The signing key ${id} is retired.`)
    return opened
  }

  /**
   * Signs the claims of an access token with the ring's active key. A key that is retired in an emergency while it signs
   * has signed nothing: the token is made anew with the one that took its place, so that whoever asks after the retirement
   * was acknowledged is given a token that passes.
   */
  async sign(ring: SigningRing, claims: string): Promise<string> {
    for (let id = ring.signingKeyId; ; id = await this.#activeOf(ring)) {
      const key = await this.#find(ring.projectId, id)
      const token = key === undefined ? undefined : await signToken(signingAs(key, ring.signedAs), claims)
      if (token !== undefined && !this.#retired.has(nameOf(ring.projectId, id))) return token
    }
  }

  /**
   * Begins a ring that the project does not have yet, and answers the `kid` of its key. Demands that come while it
   * begins wait for the same one: a key pair for each would keep the thread pool busy for seconds.
   */
  begin(ring: Ring): Promise<string> {
    const name = nameOf(ring.projectId, ring.algorithm)
    const beginning =
      this.#beginning.get(name) ??
      addSigningKey(this.#parts, ring).finally(() => void this.#beginning.delete(name))
    this.#beginning.set(name, beginning)
    return beginning
  }

  /** Undefined: it is retired. */
  async #find(projectId: string, id: string): Promise<OpenSigningKey | undefined> {
    const name = nameOf(projectId, id)
    const known = this.#open.get(name)
    if (known !== undefined) return known
    const opened = await this.#unseal(projectId, id)
    if (opened === undefined || this.#retired.has(name)) return undefined
    if (this.#open.size >= MAX_OPEN) {
      for (const oldest of this.#open.keys()) {
        this.#open.delete(oldest)
        break
      }
    }
    this.#open.set(name, opened)
    return opened
  }

  async #unseal(projectId: string, id: string): Promise<OpenSigningKey | undefined> {
    const row = await this.#parts.reader
      .selectFrom('signing_keys')
      .select(['algorithm', 'status', 'private_sealed'])
      .where('id', '=', id)
      .where('project_id', '=', projectId)
      .executeTakeFirst()
    if (row === undefined || !isSigningAlgorithm(row.algorithm)) {
      throw new CodedError(
        'internal',
        `The signing key ${id} is missing, or its algorithm is not known here.`,
      )
    }
    if (row.status === 'retired') return undefined
    const opened = this.#parts.sealer.open(signingKeyPlace(projectId, id), row.private_sealed)
    return openSigningKey({ id, algorithm: row.algorithm }, opened)
  }

  async #activeOf(ring: Ring): Promise<string> {
    const row = await this.#parts.reader
      .selectFrom('signing_keys')
      .select('id')
      .where('project_id', '=', ring.projectId)
      .where('algorithm', '=', ring.algorithm)
      .where('status', '=', 'active')
      .executeTakeFirst()
    return row?.id ?? this.begin(ring)
  }

  #apply(projectId: string, { facts }: Change): void {
    for (const fact of facts) {
      if (fact.type !== 'signing-key' || fact.status !== 'retired') continue
      const name = nameOf(projectId, fact.id)
      this.#retired.add(name)
      this.#open.delete(name)
    }
  }
}

/** A `kid` is unique within its project alone. */
function nameOf(projectId: string, id: string): string {
  return `${projectId}/${id}`
}
