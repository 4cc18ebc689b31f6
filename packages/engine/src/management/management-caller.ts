import { sha256 } from '@claviger/verify'
import type { Actor } from '../commands/command.ts'

/** Who calls the management API, by a management key that may be used now. */
export class ManagementCaller {
  readonly ok = true
  readonly keyId: string
  /** The name of the project that the key is bound to; null: root. */
  readonly project: string | null
  readonly verbs: readonly string[]
  readonly #credential: string
  readonly #ip: string | undefined
  readonly #requestId: string | undefined

  constructor(caller: {
    keyId: string
    /** The text that was presented. */
    credential: string
    project: string | null
    verbs: readonly string[]
    /** The client's address. */
    ip: string | undefined
    requestId: string | undefined
  }) {
    this.keyId = caller.keyId
    this.project = caller.project
    this.verbs = caller.verbs
    this.#credential = caller.credential
    this.#ip = caller.ip
    this.#requestId = caller.requestId
  }

  /** Shows its credential to whoever authenticates it anew. */
  present<Answer>(
    to: (
      credential: string,
      context: { readonly ip: string | undefined; readonly requestId: string | undefined },
    ) => Answer,
  ): Answer {
    return to(this.#credential, { ip: this.#ip, requestId: this.#requestId })
  }

  /** On whose behalf operations run. Made when it is asked for: a verification needs none, and a digest costs. */
  get actor(): Actor {
    const origin = {
      ...(this.#ip === undefined ? {} : { address: this.#ip }),
      ...(this.#requestId === undefined ? {} : { requestId: this.#requestId }),
    }
    return {
      kind: 'management-key',
      keyId: this.keyId,
      digest: sha256(this.#credential),
      origin,
    }
  }
}
