import { statSync } from 'node:fs'
import {
  type Change,
  comparePositions,
  identify,
  type Position,
  type Refusal,
  refuse,
  type Verdict,
  Verifier,
  type VerifyRequest,
  verifyParent,
} from '@claviger/verify'
import { createAuditKeys } from './audit/audit-keys.ts'
import type { AuditCheckpoint } from './audit/checkpoint.ts'
import { CheckpointKeeper } from './audit/checkpoint-keeper.ts'
import { RefusalRecorder, type RefusedCall } from './audit/refusal-recorder.ts'
import { readSuspension } from './backup/suspension.ts'
import { DatabaseSource } from './changes/database-source.ts'
import { type Clock, systemClock } from './clock.ts'
import { CodedError } from './coded-error.ts'
import type { Actor } from './commands/command.ts'
import type { Problem } from './commands/messages.ts'
import { Writer } from './commands/writer.ts'
import { EdgeGrants } from './edge/edge-grants.ts'
import { Once, type OnceParts, type OnceRequest } from './idempotency/once.ts'
import { OnceWriter } from './idempotency/once-writer.ts'
import { LeasedUnits } from './limits/leased-units.ts'
import { LimitCounters } from './limits/limit-counters.ts'
import { ManagementCaller } from './management/management-caller.ts'
import { resetRootKey } from './management/root-key.ts'
import type { Page } from './page.ts'
import { Project } from './project.ts'
import { changeProject } from './projects/change-project.ts'
import { createProject } from './projects/create-project.ts'
import { install } from './projects/install.ts'
import { listProjects } from './projects/list-projects.ts'
import type { ProjectView } from './projects/project-view.ts'
import { readProject } from './projects/read-project.ts'
import { type Random, systemRandom } from './random.ts'
import { DEFAULT_PROJECT, type EngineParts, MANAGEMENT_PROJECT } from './scope.ts'
import type { Secret } from './secret.ts'
import { createRefreshTokens } from './sessions/refresh-token.ts'
import { Keyring } from './signing/keyring.ts'
import { currentPublicUrl, setPublicUrl } from './signing/public-url.ts'
import { turnDueRings } from './signing/turn-due-rings.ts'
import type { EngineStatistics, Readiness, ReadinessProblem } from './statistics/engine-statistics.ts'
import { type FolderLock, lockFolder } from './storage/folder-lock.ts'
import { loadMasterKey } from './storage/master-key.ts'
import { type OpenDatabase, openForReading, parseDatabaseAddress } from './storage/open-database.ts'
import { Pruner } from './storage/pruner.ts'
import { createSealer } from './storage/seal.ts'
import { formatTime } from './time.ts'
import { MintFacts } from './tokens/mint-facts.ts'
import { ApartBound } from './usage/apart-bound.ts'
import { IssueCounts } from './usage/issue-counts.ts'
import { inProject } from './usage/project-use.ts'
import { readUsageDays } from './usage/resolutions.ts'
import { UsageRecorder } from './usage/usage-recorder.ts'

export interface EngineOptions {
  /** `sqlite:FILE`. Its folder, the data folder, belongs to this process alone. */
  readonly database: string
  /** What issuers are derived from. Default: the one set before, else http://127.0.0.1:2528. */
  readonly publicUrl?: string
  /** 32 bytes, base64url. Default: the file `master-key` in the data folder, made at the first start. */
  readonly masterKey?: string
  /** Starts in spite of a clock more than 60 s behind the last commit; audited (rule B2). */
  readonly acceptClock?: boolean
  /** For how many days usage by the day is kept, 1 to 3,660 (default 400). By the hour 35 at most, by the minute 2. */
  readonly usageDays?: number
  /** Told of problems that no caller is shown. Default: standard error. */
  readonly log?: (problem: Problem) => void
  /**
   * Told of each checkpoint of the audit, once a minute at most where something was done. Kept where nobody who can
   * write the data folder can reach it, it shows what was cut off. Default: it is stored in the database alone.
   */
  readonly onAuditCheckpoint?: (checkpoint: AuditCheckpoint) => void
  /** Tests own time and randomness. */
  readonly clock?: Clock
  readonly random?: Random
}

const DEFAULT_PUBLIC_URL = 'http://127.0.0.1:2528'
const EMBEDDER: Actor = { kind: 'embedder' }
const RULE_EXPIRY_INTERVAL_MS = 3_600_000
/** How late a step of a keyring can be taken. */
const KEYRING_INTERVAL_MS = 60_000
/** A commit reaches this thread within a message's way; one that does not has been lost with its thread. */
const MAX_APPLY_WAIT_MS = 2_000
/** What makes a queue a fault: hundreds of times what a commit takes on a slow disk. */
const MAX_QUEUE_WAIT_MS = 2_000

/**
 * Opens the data folder, makes what a first start makes, and starts the writer thread.
 * Throws `CodedError`: `unavailable` when another process has the folder, the master key is another, or the clock
 * is far behind; `invalid_request` for options that are not valid.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { file, folder } = parseDatabaseAddress(options.database)
  const clock = options.clock ?? systemClock()
  const random = options.random ?? systemRandom()
  const log = options.log ?? logToStandardError
  const lock = lockFolder(folder)
  const opened: (() => Promise<void> | void)[] = [() => lock.release()]
  try {
    const masterKey = loadMasterKey({ folder, databaseFile: file, text: options.masterKey, random })
    const auditKeys = createAuditKeys(masterKey)
    const writer = await Writer.start({
      databaseFile: file,
      clock,
      random,
      masterKeyFingerprint: masterKey.fingerprint,
      auditKeys,
      journalKey: masterKey.derive('journal'),
      logProblem: log,
      acceptClock: options.acceptClock ?? false,
    })
    opened.unshift(() => writer.close())
    const database = openForReading(file)
    opened.unshift(() => database.sqlite.close())
    const parts: EngineParts = {
      clock,
      random,
      writer,
      reader: database.db,
      sealer: createSealer(masterKey, random),
      refreshTokens: createRefreshTokens(masterKey, random),
      auditKeys,
      limits: new LimitCounters(writer),
      leasedUnits: new LeasedUnits(),
      edge: await EdgeGrants.open(database.db, { clock, writer, random }),
      issued: new IssueCounts(clock),
      reportedApart: new ApartBound(),
      usageDays: readUsageDays(options.usageDays),
    }
    const createdRootKey = await install(parts)
    const once = { macKey: masterKey.derive('idempotency'), reader: database.db, clock, random }
    const engine = new Engine(parts, {
      lock,
      writer,
      database,
      file,
      folder,
      createdRootKey,
      log,
      once,
      onAuditCheckpoint: options.onAuditCheckpoint ?? (() => {}),
    })
    const publicUrl = options.publicUrl ?? (await currentPublicUrl(parts.reader)) ?? DEFAULT_PUBLIC_URL
    await engine.setPublicUrl(publicUrl)
    await engine.open()
    return engine
  } catch (error) {
    for (const close of opened) await close()
    throw error
  }
}

interface Installation {
  readonly lock: FolderLock
  readonly writer: Writer
  readonly database: OpenDatabase
  readonly file: string
  readonly folder: string
  readonly createdRootKey: Secret | null
  readonly log: (problem: Problem) => void
  readonly once: OnceParts
  readonly onAuditCheckpoint: (checkpoint: AuditCheckpoint) => void
}

/** Where a call to the management API came from. */
interface CallContext {
  /** The client's address. */
  readonly ip?: string | undefined
  readonly requestId?: string | undefined
}

/** The composition root: one open data folder, its writer thread, and a verifier a project. */
export class Engine {
  /** The root key's text, at the start that made the installation: it cannot be had again. */
  readonly createdRootKey: Secret | null
  /** The data folder. */
  readonly folder: string
  readonly #parts: EngineParts
  readonly #installation: Installation
  readonly #keyring: Keyring
  readonly #mintFacts: MintFacts
  readonly #verifiers = new Map<string, Promise<Verifier>>()
  /** Those of the node that have opened. */
  readonly #ready = new Map<string, Verifier>()
  /** With the id of its project. */
  readonly #openVerifiers = new Map<Verifier, string>()
  /** Ids of the projects, by name: neither ever changes. */
  readonly #projectIds = new Map<string, string>()
  readonly #usage: UsageRecorder
  readonly #refusals: RefusalRecorder
  readonly #checkpoints: CheckpointKeeper
  readonly #pruner: Pruner
  readonly #expiry: NodeJS.Timeout
  readonly #rotation: NodeJS.Timeout
  /** The turn of the keyrings that is under way. */
  #turning: Promise<void> | undefined

  constructor(parts: EngineParts, installation: Installation) {
    this.#parts = parts
    this.#installation = installation
    this.createdRootKey = installation.createdRootKey
    this.folder = installation.folder
    this.#keyring = new Keyring(parts)
    this.#mintFacts = new MintFacts(parts)
    this.#usage = new UsageRecorder({
      writer: parts.writer,
      collect: () => [
        ...parts.issued.take(),
        ...[...this.#openVerifiers].flatMap(([verifier, projectId]) =>
          verifier.takeUses().map((use) => inProject(projectId, use)),
        ),
      ],
      days: parts.usageDays,
      onFailure: (error) =>
        installation.log({
          message: 'Usage could not be written; it is kept for later.',
          cause: String(error),
        }),
    })
    this.#refusals = new RefusalRecorder({
      writer: parts.writer,
      clock: parts.clock,
      onWritten: (projectIds) => this.#checkpoints.noteEntries(projectIds),
      onFailure: (error) =>
        installation.log({
          message: 'Refused calls could not be audited; they are kept for later.',
          cause: String(error),
        }),
    })
    this.#checkpoints = new CheckpointKeeper({
      writer: parts.writer,
      onCheckpoint: installation.onAuditCheckpoint,
      onFailure: (message, cause) => installation.log({ message, cause: String(cause) }),
    })
    this.#pruner = new Pruner({
      writer: parts.writer,
      onFailure: (error) =>
        installation.log({
          message: 'What is over could not be forgotten; it is tried again in a minute.',
          cause: String(error),
        }),
    })
    this.#expiry = setInterval(() => this.#dropExpiredRules(), RULE_EXPIRY_INTERVAL_MS).unref()
    this.#rotation = setInterval(() => void this.turnKeyrings(), KEYRING_INTERVAL_MS).unref()
  }

  /** Reads what every start needs. Called once, by {@link createEngine}. */
  async open(): Promise<void> {
    const rows = await this.#parts.reader.selectFrom('projects').select(['id', 'name']).execute()
    for (const { id, name } of rows) this.#projectIds.set(name, id)
    await Promise.all([this.verifierOf(MANAGEMENT_PROJECT), this.verifierOf(DEFAULT_PROJECT)])
    await this.#tellSuspension()
    // What fell due while nothing ran. It may have key pairs to make, for which no start waits.
    void this.turnKeyrings()
  }

  get databaseFile(): string {
    return this.#installation.file
  }

  /** Another one each run. */
  get bootId(): string {
    return this.#parts.edge.bootId
  }

  /** Tells of every change of the project from now on, in order, before the call that made it resolves. */
  onChanges(projectId: string, listener: (change: Change) => void): () => void {
    return this.#installation.writer.onChanges((id, change) => {
      if (id === projectId) listener(change)
    })
  }

  hasProject(name: string): boolean {
    return this.#projectIds.has(name)
  }

  /** Everything of one project, on behalf of an actor; for one request, if it is to run once. Throws `not_found`. */
  project(name: string, actor: Actor = EMBEDDER, once?: Once): Project {
    const projectId = this.#projectIds.get(name)
    if (projectId === undefined) throw new CodedError('not_found', 'There is no project of this name.')
    return new Project(
      {
        ...this.#partsFor(once),
        projectId,
        project: name,
        actor,
        keyring: this.#keyring,
        mintFacts: this.#mintFacts,
        waitForApplied: (position) => this.#waitForApplied(projectId, position),
        verifyParent: async (text) => verifyParent(await this.verifierOf(name), text),
        identifyToken: (text) => this.#identifyToken(projectId, text),
      },
      this,
    )
  }

  /** The projects themselves, on behalf of an actor. */
  projects(
    actor: Actor = EMBEDDER,
    once?: Once,
  ): {
    create(input: unknown): Promise<ProjectView>
    list(input?: unknown): Promise<Page<ProjectView>>
    read(name: string): Promise<ProjectView>
    change(name: string, input: unknown): Promise<ProjectView>
  } {
    const scope = { ...this.#partsFor(once), actor }
    return {
      create: async (input) => {
        const project = await createProject(scope, input)
        this.#projectIds.set(project.name, project.id)
        return project
      },
      list: (input) => listProjects(scope, input),
      read: (name) => readProject(scope, name),
      change: (name, input) => changeProject(scope, name, input),
    }
  }

  /**
   * A request that carries an idempotency key (rule C7). Ask it for the answer that the request got before; if there is
   * none, give it to {@link project} or {@link projects} for the one operation that the request is.
   */
  once(request: OnceRequest): Once {
    return new Once(this.#installation.once, request)
  }

  #partsFor(once: Once | undefined): EngineParts {
    if (once === undefined) return this.#parts
    return { ...this.#parts, writer: new OnceWriter(this.#installation.writer, once) }
  }

  /**
   * Who presents this management key. The rights are read again inside each command, so a key that is revoked
   * meanwhile changes nothing any more; this answer serves to refuse early and to know the project.
   */
  async authenticate(
    credential: string,
    { ip, requestId }: CallContext = {},
  ): Promise<ManagementCaller | Refusal> {
    const verifier = await this.verifierOf(MANAGEMENT_PROJECT)
    const verdict = await verifier.verify({ credential, ...(ip === undefined ? {} : { context: { ip } }) })
    return this.#readCaller(credential, verdict, { ip, requestId })
  }

  /** Whether a caller could come again now: for who was let in long ago. */
  reauthenticate(caller: ManagementCaller): Promise<ManagementCaller | Refusal> {
    return caller.present((credential, context) => this.authenticate(credential, context))
  }

  /** The same, if nobody needs to be asked: undefined for a key that was not seen before. */
  authenticateCached(
    credential: string,
    { ip, requestId }: CallContext = {},
  ): ManagementCaller | Refusal | undefined {
    const verifier = this.#ready.get(MANAGEMENT_PROJECT)
    const verdict = verifier?.verifyCached({ credential, ...(ip === undefined ? {} : { context: { ip } }) })
    return verdict === undefined ? undefined : this.#readCaller(credential, verdict, { ip, requestId })
  }

  #readCaller(
    credential: string,
    verdict: Verdict,
    { ip, requestId }: CallContext,
  ): ManagementCaller | Refusal {
    if (!verdict.ok) return verdict
    const { management, id: keyId } = verdict
    if (management === undefined) return refuse('unknown', 'This is no management key.')
    const project = management.project === null ? null : this.#nameOf(management.project)
    return new ManagementCaller({ keyId, credential, project, verbs: management.verbs, ip, requestId })
  }

  /**
   * The verdict of the node's own verifier of a project, which states no audience: a request that is about tokens must.
   * At once, if nobody needs to be asked. Throws `not_found`.
   */
  verify(project: string, request: VerifyRequest): Verdict | Promise<Verdict> {
    return (
      this.#ready.get(project)?.verifyCached(request) ??
      this.verifierOf(project).then((verifier) => verifier.verify(request))
    )
  }

  /**
   * Sets the address that issuers are derived from. A change makes new issuers; the former ones are accepted
   * until their last token has expired.
   */
  setPublicUrl(url: string): Promise<void> {
    return setPublicUrl(this.#parts, url)
  }

  /** The address that issuers are derived from. */
  async publicUrl(): Promise<string> {
    return (await currentPublicUrl(this.#parts.reader)) ?? DEFAULT_PUBLIC_URL
  }

  /** Makes a new root key and ends every other one. For the machine's owner alone. */
  resetRootKey(): Promise<Secret> {
    return resetRootKey({ ...this.#parts, actor: { kind: 'installation' } })
  }

  /**
   * Whether the node can do its work. It is `unavailable` when no verdict would be honest, or when nothing but a restart
   * helps; `degraded` when changes are not stored for now, for what was stored is still verified.
   */
  async readiness(): Promise<Readiness> {
    const fatal: ReadinessProblem[] = []
    if (!this.#parts.writer.alive) fatal.push('writer_stopped')
    if (!(await this.#canRead())) fatal.push('database_unreadable')
    const { storageFull, oldestWaitMs } = this.#installation.writer.statistics()
    const passing: ReadinessProblem[] = []
    if (storageFull) passing.push('storage_full')
    if (oldestWaitMs > MAX_QUEUE_WAIT_MS) passing.push('writer_behind')
    const status = fatal.length > 0 ? 'unavailable' : passing.length > 0 ? 'degraded' : 'ready'
    return { status, problems: [...fatal, ...passing] }
  }

  /** Counts since the start, and what the node holds now. It reads no table. */
  async statistics(): Promise<EngineStatistics> {
    const management = await this.verifierOf(MANAGEMENT_PROJECT)
    const customers = [...this.#openVerifiers.keys()].filter((verifier) => verifier !== management)
    const { file } = this.#installation
    return {
      verifiers: customers.map((verifier) => verifier.statistics()),
      management: management.statistics(),
      writer: this.#installation.writer.statistics(),
      edgeVerifiers: this.#parts.edge.registry.counts(),
      unwrittenUsage: this.#usage.unwritten,
      projects: this.#projectIds.size - 1,
      databaseBytes: sizeOf(file),
      walBytes: sizeOf(`${file}-wal`),
    }
  }

  /**
   * Takes the steps that the keyrings owe by their schedules: publishing, signing with, and retiring keys. The engine does
   * so at its start and each minute; whoever owns the clock may not want to wait for that. Never rejects.
   */
  turnKeyrings(): Promise<void> {
    this.#turning ??= turnDueRings(this.#parts, (error) => this.#logRotationFailure(error))
      .catch((error) => this.#logRotationFailure(error))
      .finally(() => {
        this.#turning = undefined
      })
    return this.#turning
  }

  /** Has a refused call to the management API audited, some time after: within a second, or a minute if it is counted. */
  recordRefusal(call: RefusedCall): void {
    this.#refusals.record(call)
  }

  /**
   * Writes what is to be audited yet and signs how far each chain reaches. The engine does so by itself, each minute
   * and at its end. Never rejects.
   */
  async checkpointAudit(): Promise<void> {
    await this.#refusals.flush()
    await this.#checkpoints.make()
  }

  /** The node's own verifier of a project; it states no audience. */
  verifierOf(project: string): Promise<Verifier> {
    const known = this.#verifiers.get(project)
    if (known !== undefined) return known
    const opening = this.openVerifier(project)
    this.#verifiers.set(project, opening)
    opening.then(
      (verifier) => this.#ready.set(project, verifier),
      // One that failed to open is tried again by the next who asks.
      () => this.#verifiers.delete(project),
    )
    return opening
  }

  /** Another verifier of a project, with caches of its own. */
  async openVerifier(project: string, audience?: string | readonly string[]): Promise<Verifier> {
    const projectId = this.#projectIds.get(project)
    if (projectId === undefined) throw new CodedError('not_found', 'There is no project of this name.')
    const verifier = await Verifier.open({
      source: new DatabaseSource(this.#parts, projectId),
      ...(audience === undefined ? {} : { audience }),
    })
    this.#openVerifiers.set(verifier, projectId)
    return verifier
  }

  /** Finishes what is queued, writes the usage and releases the data folder. */
  async close(): Promise<void> {
    clearInterval(this.#expiry)
    clearInterval(this.#rotation)
    await this.#turning
    await this.#pruner.close()
    await this.#usage.close()
    await this.#refusals.close()
    await this.#checkpoints.close()
    for (const verifier of this.#openVerifiers.keys()) verifier.close()
    await this.#parts.limits.close().catch((error) => this.#logReturnFailure(error))
    this.#installation.database.sqlite.close()
    await this.#installation.writer.close()
    this.#installation.lock.release()
  }

  async #canRead(): Promise<boolean> {
    try {
      await this.#parts.reader.selectFrom('installation').select('id').executeTakeFirst()
      return true
    } catch {
      return false
    }
  }

  /**
   * Resolves once the node's own verifier has applied the position: whoever signs a token with it must not be
   * behind it (rule V2).
   */
  async #waitForApplied(projectId: string, position: Position): Promise<void> {
    const verifier = await this.verifierOf(this.#nameOf(projectId))
    const isApplied = (): boolean =>
      verifier.applied !== undefined && comparePositions(verifier.applied, position) >= 0
    if (isApplied()) return
    const waiting = Promise.withResolvers<void>()
    const stop = this.#parts.writer.onChanges(() => {
      if (isApplied()) waiting.resolve()
    })
    const timer = setTimeout(
      () =>
        waiting.reject(
          new CodedError('unavailable', 'The latest changes are not known here yet. Try again.'),
        ),
      MAX_APPLY_WAIT_MS,
    )
    try {
      await waiting.promise
    } finally {
      clearTimeout(timer)
      stop()
    }
  }

  async #identifyToken(
    projectId: string,
    text: string,
  ): Promise<{ tokenId: string; expiresAtMs: number } | { fault: string }> {
    const verifier = await this.verifierOf(this.#nameOf(projectId))
    const identified = await identify(verifier, text)
    if ('code' in identified) return { fault: identified.detail }
    if (identified.kind !== 'token') return { fault: 'The text is an API key, and no token.' }
    return { tokenId: identified.tokenId, expiresAtMs: identified.expiresAtMs }
  }

  #nameOf(projectId: string): string {
    for (const [name, id] of this.#projectIds) if (id === projectId) return name
    throw new TypeError(`no project has the id ${projectId}`)
  }

  async #tellSuspension(): Promise<void> {
    const installation = await this.#parts.reader
      .selectFrom('installation')
      .select('suspended')
      .executeTakeFirstOrThrow()
    const suspension = readSuspension(installation.suspended)
    if (suspension === null) return
    this.#installation.log({
      message: 'Keys from before the restore are suspended.',
      cause: `It is not known what was taken away since ${formatTime(suspension.sinceMs)}. Stop the server, and run claviger restore with the journal, or accept the loss.`,
    })
  }

  #logRotationFailure(error: unknown): void {
    this.#installation.log({
      message: 'A keyring could not be rotated; it is tried again in a minute.',
      cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
  }

  #logReturnFailure(error: unknown): void {
    this.#installation.log({
      message: 'What was reserved of limits could not be given back; it counts as spent.',
      cause: String(error),
    })
  }

  #dropExpiredRules(): void {
    for (const verifier of this.#openVerifiers.keys()) verifier.dropExpiredRules()
  }
}

/** 0: there is no such file. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

function logToStandardError({ message, cause }: Problem): void {
  console.error(`claviger: ${message} ${cause}`)
}
