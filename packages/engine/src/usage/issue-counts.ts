import type { Clock } from '../clock.ts'
import type { Scope } from '../scope.ts'
import { clientIdOf } from '../tokens/client-id.ts'
import { type ProjectUse, respell } from './project-use.ts'

/** What is counted beside verifications: a token minted, a session begun, and one refreshed. */
export type IssueEvent = 'mint' | 'session' | 'refresh'

/**
 * Counts what is issued without a row of its own, by the management key that asked for it and the subject that it speaks
 * for. As verifiers do, it hands over what it counted when it is asked.
 */
export class IssueCounts {
  readonly #clock: Clock
  #counts = new Map<string, { -readonly [Name in keyof ProjectUse]: ProjectUse[Name] }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note({ projectId, actor }: Pick<Scope, 'projectId' | 'actor'>, event: IssueEvent, subject: string): void {
    const address = actor.kind === 'management-key' ? actor.origin?.address : undefined
    const keyId = clientIdOf(actor)
    const name = JSON.stringify([projectId, event, keyId, subject, address])
    const known = this.#counts.get(name)
    if (known !== undefined) known.count++
    else {
      const ip = address === undefined ? '' : respell(address)
      const atMs = this.#clock.nowMs()
      this.#counts.set(name, {
        projectId,
        kind: event,
        keyId,
        subject,
        outcome: 'ok',
        tags: '[]',
        ip,
        count: 1,
        atMs,
      })
    }
  }

  /** Hands over what was counted since the last call. */
  take(): readonly ProjectUse[] {
    const counts = [...this.#counts.values()]
    this.#counts = new Map()
    return counts
  }
}
