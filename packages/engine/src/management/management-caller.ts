import { sha256 } from '@claviger/verify'
import type { Actor, RequestOrigin } from '../commands/command.ts'

/** Who calls the management API, by a management key that may be used now. */
export class ManagementCaller {
  readonly ok = true
  readonly keyId: string
  /** The name of the project that the key is bound to; null: root. */
  readonly project: string | null
  readonly verbs: readonly string[]
  readonly #credential: string
  readonly #origin: RequestOrigin

  constructor(caller: {
    keyId: string
    /** The text that was presented. */
    credential: string
    project: string | null
    verbs: readonly string[]
    origin: RequestOrigin
  }) {
    this.keyId = caller.keyId
    this.project = caller.project
    this.verbs = caller.verbs
    this.#credential = caller.credential
    this.#origin = caller.origin
  }

  /** On whose behalf operations run. Made when it is asked for: a verification needs none, and a digest costs. */
  get actor(): Actor {
    return {
      kind: 'management-key',
      keyId: this.keyId,
      digest: sha256(this.#credential),
      origin: this.#origin,
    }
  }
}
