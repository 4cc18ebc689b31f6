import { createHmac, type KeyObject } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Clock } from '../clock.ts'
import { CodedError } from '../coded-error.ts'
import type { OnceRecord } from '../commands/messages.ts'
import { withSecrets } from '../commands/writer.ts'
import type { Random } from '../random.ts'
import type { Schema } from '../storage/schema.ts'
import { type AnswerSeal, createAnswerSeal } from './answer-seal.ts'
import { findRecord, type KnownRequest } from './record.ts'

/** A request that carries an idempotency key, from a caller that was authenticated. */
export interface OnceRequest {
  /** The caller's management key, and the text of it that was presented. */
  readonly callerId: string
  readonly credential: string
  readonly key: string
  /** All that makes it this request and no other: method, address, project, body. Serialisable as JSON. */
  readonly request: readonly unknown[]
}

export interface OnceParts {
  readonly macKey: KeyObject
  readonly reader: Kysely<Schema>
  readonly clock: Clock
  readonly random: Random
}

const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/

/**
 * One request that may come again, because its answer was lost (rule C7). Its record commits with its command; a request
 * that is refused leaves none, for nothing was done, and is judged anew.
 */
export class Once {
  readonly #parts: OnceParts
  readonly #identity: Omit<OnceRecord, 'sealed'>
  readonly #seal: AnswerSeal

  /** Throws `invalid_request` for a key that is not 1 to 255 visible ASCII characters. */
  constructor(parts: OnceParts, { callerId, credential, key, request }: OnceRequest) {
    if (!KEY_PATTERN.test(key)) {
      throw new CodedError(
        'invalid_request',
        'The Idempotency-Key must be 1 to 255 visible ASCII characters, such as a random UUID.',
      )
    }
    const macOf = (...values: readonly unknown[]): string =>
      createHmac('sha256', parts.macKey).update(JSON.stringify(values)).digest('base64url')
    this.#parts = parts
    this.#identity = { callerId, keyMac: macOf('key', callerId, key), requestMac: macOf('request', request) }
    this.#seal = createAnswerSeal(credential, parts.random)
  }

  /** The answer that the request got when it came before; undefined: it comes for the first time, or was refused. */
  async recall(): Promise<{ readonly answer: unknown } | undefined> {
    const { reader, clock } = this.#parts
    const known = await findRecord(reader, this.#identity, clock.nowMs())
    if (known === undefined) return undefined
    return { answer: this.answerOf(known.result === '' ? undefined : JSON.parse(known.result), known) }
  }

  /** What is stored beside the command. */
  recordOf(secrets: object | undefined): OnceRecord {
    const sealed = secrets === undefined ? null : this.#seal.seal(this.#place, JSON.stringify(secrets))
    return { ...this.#identity, sealed }
  }

  /**
   * The answer of a request that ran before. Throws `answer_lost` when its secrets open no more, because the caller's
   * text is another than it was then; what was made is named, so that the caller can rotate or revoke it.
   */
  answerOf<Result>(result: Result, { sealed }: Pick<KnownRequest, 'sealed'>): Result {
    if (sealed === null) return result
    const secrets = this.#seal.open(this.#place, sealed)
    if (secrets !== undefined) return withSecrets(result, JSON.parse(secrets))
    const id = typeof result === 'object' && result !== null && 'id' in result ? ` \`${result.id}\`` : ''
    throw new CodedError(
      'answer_lost',
      `The request was carried out before and made${id}, but its answer can be read with the management key's former text alone. Rotate or revoke what was made.`,
    )
  }

  get #place(): string {
    return JSON.stringify(this.#identity)
  }
}
