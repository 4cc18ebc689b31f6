import type { KeyObject } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import type { Change } from '@claviger/verify'
import type { AuditKeys } from '../audit/audit-keys.ts'
import { readChange } from '../changes/change-row.ts'
import type { Clock } from '../clock.ts'
import { CodedError } from '../coded-error.ts'
import { journalFolder } from '../journal/segment.ts'
import { newId, type Random } from '../random.ts'
import type { Actor } from './command.ts'
import type { FromWriter, OnceRecord, Outcome, Problem, ToWriter, WriterSettings } from './messages.ts'
import { PendingCalls } from './pending-calls.ts'
import type { ArgsOf, CommandMap, Commands, ResultOf } from './registry.ts'
import { WriterCounts, type WriterStatistics } from './writer-counts.ts'

export interface WriterOptions {
  /** The SQLite file; its folder exists and is locked by the caller (storage/folder-lock.ts). */
  readonly databaseFile: string
  readonly clock: Clock
  readonly random: Random
  readonly masterKeyFingerprint: string
  readonly auditKeys: AuditKeys
  /** What the entries of the journal are sealed with (rule B1). */
  readonly journalKey: KeyObject
  /** Told of errors whose cause the caller of a command is not shown. Must not throw. */
  readonly logProblem: (problem: Problem) => void
  /** True starts in spite of a clock far behind the last commit; audited (rule B2). */
  readonly acceptClock?: boolean
  /** Another module with an export `commands`: tests bring their own. */
  readonly registryUrl?: URL
}

export type ChangeListener = (projectId: string, change: Change) => void

/** What a command came to: its result, and whether it ran or was found to have run before (rule C7). */
export interface Settled<Result> {
  readonly result: Result
  readonly recalled: { readonly sealed: Uint8Array | null } | undefined
}

/** What operations run their commands with. */
export type CommandRunner = Pick<Writer, 'run' | 'alive' | 'onChanges'>

interface PendingCall {
  /** By the process's own clock, which nobody sets. */
  readonly sentAtMs: number
  resolve(settled: Settled<unknown>): void
  reject(error: Error): void
}

// Run from sources it is a .ts file, which Node runs directly; built, it is a .js file beside this one.
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/**
 * The caller's side of the writer thread (rule C2): every mutation goes through `run`, and a durable commit
 * makes nobody on this thread wait.
 *
 * Calls are answered in commit order, after the commit that stored them (rule C4). It holds the process open
 * only while a call waits.
 */
export class Writer<Registry extends CommandMap = Commands> {
  readonly #worker: Worker
  readonly #options: WriterOptions
  readonly #pending = new PendingCalls<PendingCall>()
  /** What was settled and is still to be told to its callers, in commit order. */
  readonly #settled: (() => void)[] = []
  readonly #listeners = new Set<ChangeListener>()
  readonly #started = Promise.withResolvers<void>()
  readonly #exited = Promise.withResolvers<void>()
  readonly #counts = new WriterCounts()
  /**
   * One caller a turn of the event loop: what it does with its answer costs more than a verification, and a commit
   * settles many at once. So whatever arrives meanwhile is served between them.
   */
  readonly #answerNext = (): void => {
    this.#settled.shift()?.()
    if (this.#settled.length > 0) setImmediate(this.#answerNext)
  }
  #state: 'starting' | 'running' | 'closing' | 'stopped' = 'starting'

  private constructor(options: WriterOptions) {
    const settings: WriterSettings = {
      databaseFile: options.databaseFile,
      clock: options.clock.handle,
      masterKeyFingerprint: options.masterKeyFingerprint,
      auditKeys: options.auditKeys,
      journal: { folder: journalFolder(options.databaseFile), key: options.journalKey },
      clockBehind: options.acceptClock === true ? 'accept' : 'refuse',
      registryUrl: (options.registryUrl ?? new URL(`./registry.${EXTENSION}`, import.meta.url)).href,
    }
    this.#options = options
    this.#worker = new Worker(new URL(`./writer-thread.${EXTENSION}`, import.meta.url), {
      workerData: settings,
      // The embedding program's flags are about its own start, and some (--input-type) would stop this one.
      execArgv: [],
    })
    this.#worker.on('message', (message: FromWriter) => this.#receive(message))
    this.#worker.on('error', (error) => this.#log('The writer thread died.', error))
    this.#worker.on('exit', () => this.#stop())
  }

  /**
   * Resolves when the database is open and migrated. Rejects with a `CodedError` that says what to do: a
   * database of a newer version, another master key, a clock that is behind.
   */
  static async start<Registry extends CommandMap = Commands>(
    options: WriterOptions,
  ): Promise<Writer<Registry>> {
    const writer = new Writer<Registry>(options)
    await writer.#started.promise
    return writer
  }

  /** False once the thread has stopped: nothing can be written, and a change may have gone untold. */
  get alive(): boolean {
    return this.#state === 'running'
  }

  /** Counts since the start, and what waits now. */
  statistics(): WriterStatistics {
    const { oldest } = this.#pending
    const oldestWaitMs = oldest === undefined ? 0 : performance.now() - oldest.sentAtMs
    return { ...this.#counts.read(), queued: this.#pending.size, oldestWaitMs }
  }

  /**
   * Runs a command and resolves with its result, durable, once every listener was told of its changes (rule
   * F1). Rejects with a `CodedError`. `unavailable` leaves open whether the command was stored.
   *
   * `secrets` are the members of the answer that the writer thread must not see; they are put beside the result.
   */
  run<Name extends keyof Registry & string, Secrets extends object = object>(
    name: Name,
    args: ArgsOf<Registry[Name]>,
    actor: Actor,
    secrets?: Secrets,
  ): Promise<ResultOf<Registry[Name]> & Secrets> {
    return this.submit(name, args, { actor }).then(({ result }) => withSecrets(result, secrets))
  }

  /** As {@link run}, for one request that may come again (rule C7); says whether it had come before. */
  submit<Name extends keyof Registry & string>(
    name: Name,
    args: ArgsOf<Registry[Name]>,
    request: { readonly actor: Actor; readonly once?: OnceRecord },
  ): Promise<Settled<ResultOf<Registry[Name]>>> {
    if (this.#state !== 'running') return Promise.reject(stopped())
    const id = newId('cmd', this.#options.clock.nowMs(), this.#options.random)
    const call = Promise.withResolvers<Settled<ResultOf<Registry[Name]>>>()
    try {
      this.#send({ type: 'run', command: { id, name, args, ...request } })
    } catch {
      // The clone's own message repeats the value that it could not copy.
      return Promise.reject(new TypeError(`the arguments of ${name} cannot be sent to another thread`))
    }
    if (this.#pending.size === 0) this.#worker.ref()
    const resolve = call.resolve as PendingCall['resolve']
    this.#pending.add(id, { sentAtMs: performance.now(), resolve, reject: call.reject })
    return call.promise
  }

  /**
   * Tells the listener of every change of this process, in commit order, on this thread, before the call that
   * made it resolves. The answer stops that. A listener that throws makes that call reject with `internal`.
   */
  onChanges(listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Finishes what is queued, folds the log into the database file and stops the thread. */
  async close(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'closing'
      this.#worker.ref()
      this.#send({ type: 'close' })
    }
    await this.#exited.promise
  }

  #send(message: ToWriter): void {
    this.#worker.postMessage(message)
  }

  #receive(message: FromWriter): void {
    if (message.type === 'ready') {
      this.#state = 'running'
      this.#worker.unref()
      this.#started.resolve()
    } else if (message.type === 'refused') {
      this.#started.reject(new CodedError(message.code, message.detail))
    } else if (message.type === 'problem') {
      this.#options.logProblem(message.problem)
    } else {
      this.#counts.add(message)
      const idle = this.#settled.length === 0
      for (const outcome of message.outcomes) this.#settle(outcome)
      if (this.#pending.size === 0 && this.#state === 'running') this.#worker.unref()
      if (idle) this.#answerNext()
    }
  }

  /** Tells the listeners of the changes now, and the caller when it is its turn. */
  #settle(outcome: Outcome): void {
    const { commandId } = outcome
    const call = this.#pending.take(commandId)
    if (!outcome.ok) {
      this.#settled.push(() => call?.reject(new CodedError(outcome.code, outcome.detail)))
      return
    }
    const failures: unknown[] = []
    for (const row of outcome.changes) this.#tell(row.project_id, readChange(row), failures)
    for (const failure of failures) this.#log('A listener failed to apply a change.', failure, commandId)
    this.#settled.push(() => {
      const result: unknown = outcome.result === '' ? undefined : JSON.parse(outcome.result)
      if (failures.length === 0) call?.resolve({ result, recalled: outcome.recalled })
      else call?.reject(new CodedError('internal', 'The change was stored, but not applied in this process.'))
    })
  }

  /** Adds what the listeners threw: each is told, whatever another does. */
  #tell(projectId: string, change: Change, failures: unknown[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(projectId, change)
      } catch (error) {
        failures.push(error)
      }
    }
  }

  #stop(): void {
    this.#state = 'stopped'
    for (const answer of this.#settled.splice(0)) answer()
    for (const call of this.#pending.takeAll()) call.reject(stopped())
    this.#started.reject(stopped())
    this.#exited.resolve()
  }

  #log(message: string, error: unknown, commandId?: string): void {
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#options.logProblem({ message, cause, ...(commandId === undefined ? {} : { commandId }) })
  }
}

/** The answer of an operation: what its command answered, and what only the caller's side knows. */
export function withSecrets<Result, Secrets extends object>(
  result: Result,
  secrets: Secrets | undefined,
): Result & Secrets {
  return (secrets === undefined ? result : { ...result, ...secrets }) as Result & Secrets
}

function stopped(): CodedError {
  return new CodedError(
    'unavailable',
    'Nothing can be written: the writer thread has stopped. Restart Claviger.',
  )
}
