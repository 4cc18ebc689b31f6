import { comparePositions, type Position } from '@claviger/verify'
import { readHead } from '../changes/read-head.ts'
import type { Actor } from '../commands/command.ts'
import type { Writer } from '../commands/writer.ts'
import { Remembered } from '../remembered.ts'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import { type Caller, readCaller } from './authorize.ts'

/** Callers that are kept at a time; another one is read anew. */
const MAX_CALLERS = 1_000

/**
 * Who calls, as the database has it, kept for as long as no management key changes: all that makes a caller another one
 * takes a position in the project of the management keys (rules M1, C3). Commands read the caller for themselves, in
 * their transaction.
 *
 * The head is not read anew while the writer has told of no other: no other process writes to the database, and the
 * writer tells of a change before anyone is told that it was made. Once it has died, nothing is taken from memory.
 */
export class CallerFacts {
  readonly #reader: Scope['reader']
  readonly #writer: Pick<Writer, 'alive' | 'onChanges'>
  #told: Position | undefined
  #latest: CallersAt | undefined

  constructor({ reader, writer }: { reader: Scope['reader']; writer: Pick<Writer, 'alive' | 'onChanges'> }) {
    this.#reader = reader
    this.#writer = writer
    writer.onChanges((projectId, { position }) => {
      if (projectId === MANAGEMENT_PROJECT) this.#told = position
    })
  }

  /** The caller as of now, apart from the hour. Rejects with `unauthenticated` (authorize.ts). */
  read(actor: Actor): Promise<Caller> {
    const latest = this.#latest
    if (latest !== undefined && this.areCurrent(latest)) return latest.read(actor)
    return readHead(this.#reader, MANAGEMENT_PROJECT).then((head) => this.at(head).read(actor))
  }

  /** The callers as of a head of the management keys that the asker has read: none of them is older. */
  at(head: Position): CallersAt {
    const latest = this.#latest
    if (latest !== undefined && comparePositions(latest.head, head) === 0) return latest
    const callers = new CallersAt(this.#reader, head)
    this.#latest = callers
    return callers
  }

  areCurrent({ head }: CallersAt): boolean {
    return this.#writer.alive && (this.#told === undefined || comparePositions(this.#told, head) === 0)
  }
}

/** The callers at one head of the management keys; each is read at its first use. */
export class CallersAt {
  readonly head: Position
  readonly #reader: Scope['reader']
  readonly #callers = new Remembered<Caller>(MAX_CALLERS)

  constructor(reader: Scope['reader'], head: Position) {
    this.#reader = reader
    this.head = head
  }

  /** By the text that was presented, too: it may end before its key does (rule V6). */
  read(actor: Actor): Promise<Caller> {
    const name = actor.kind === 'management-key' ? `${actor.keyId}/${actor.digest ?? ''}` : actor.kind
    return this.#callers.get(name, () => readCaller({ db: this.#reader, actor }))
  }
}
