import { statSync } from 'node:fs'
import {
  type Change,
  type Refusal,
  refuse,
  type Verdict,
  type Verifier,
  type VerifyRequest,
  verifyParent,
} from '@claviger/verify'
import type { AuditCheckpoint } from './audit/checkpoint.ts'
import type { RefusedCall } from './audit/refusal-recorder.ts'
import { readSuspension } from './backup/suspension.ts'
import { Chores } from './chores.ts'
import type { Actor } from './commands/command.ts'
import type { Problem } from './commands/messages.ts'
import type { Writer } from './commands/writer.ts'
import { Once, type OnceParts, type OnceRequest } from './idempotency/once.ts'
import { OnceWriter } from './idempotency/once-writer.ts'
import { ManagementCaller } from './management/management-caller.ts'
import { resetRootKey } from './management/root-key.ts'
import { OpenVerifiers } from './open-verifiers.ts'
import type { Page } from './page.ts'
import { Project } from './project.ts'
import { changeProject } from './projects/change-project.ts'
import { createProject } from './projects/create-project.ts'
import { listProjects } from './projects/list-projects.ts'
import type { ProjectView } from './projects/project-view.ts'
import { readProject } from './projects/read-project.ts'
import type { RevocationScope } from './revocation/create-revocation.ts'
import { DEFAULT_PROJECT, type EngineParts, MANAGEMENT_PROJECT } from './scope.ts'
import type { Secret } from './secret.ts'
import { Keyring } from './signing/keyring.ts'
import { currentPublicUrl, DEFAULT_PUBLIC_URL, setPublicUrl } from './signing/public-url.ts'
import type { EngineStatistics, Readiness, ReadinessProblem } from './statistics/engine-statistics.ts'
import type { FolderLock } from './storage/folder-lock.ts'
import type { OpenDatabase } from './storage/open-database.ts'
import { formatTime } from './time.ts'
import { MintFacts } from './tokens/mint-facts.ts'
import type { MintScope } from './tokens/mint-token.ts'

const EMBEDDER: Actor = { kind: 'embedder' }
/** What makes a queue a fault: hundreds of times what a commit takes on a slow disk. */
const MAX_QUEUE_WAIT_MS = 2_000

/** What is opened once for an engine, and closed with it. */
export interface Installation {
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

/** One open data folder, with its writer thread and a verifier a project. Made by `createEngine`. */
export class Engine {
  /** The root key's text, at the start that made the installation: it cannot be had again. */
  readonly createdRootKey: Secret | null
  /** The data folder. */
  readonly folder: string
  readonly #parts: EngineParts
  readonly #installation: Installation
  readonly #keyring: Keyring
  readonly #mintFacts: MintFacts
  readonly #verifiers: OpenVerifiers
  readonly #chores: Chores
  /** By the names of their projects. */
  readonly #places = new Map<string, Omit<MintScope & RevocationScope, 'actor'>>()

  constructor(parts: EngineParts, installation: Installation) {
    this.#parts = parts
    this.#installation = installation
    this.createdRootKey = installation.createdRootKey
    this.folder = installation.folder
    this.#keyring = new Keyring(parts)
    this.#mintFacts = new MintFacts(parts)
    this.#verifiers = new OpenVerifiers(parts)
    this.#chores = new Chores({ ...installation, parts, verifiers: this.#verifiers })
  }

  /** Reads what every start needs. Called once, by `createEngine`. */
  async open(): Promise<void> {
    const rows = await this.#parts.reader
      .selectFrom('projects')
      .select(['id', 'name', 'key_prefix as keyPrefix'])
      .execute()
    for (const row of rows) this.#verifiers.addProject(row)
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
    return this.#verifiers.hasProject(name)
  }

  /** Everything of one project, on behalf of an actor; for one request, if it is to run once. Throws `not_found`. */
  project(name: string, actor: Actor = EMBEDDER, once?: Once): Project {
    const place = this.#places.get(name) ?? this.#placeOf(name)
    const scope = once === undefined ? { ...place, actor } : { ...place, actor, writer: this.#writerOf(once) }
    return new Project(scope, this)
  }

  /** Where the operations of a project work: all of it is the same for each call. */
  #placeOf(name: string): Omit<MintScope & RevocationScope, 'actor'> {
    const verifiers = this.#verifiers
    const { id: projectId, keyPrefix } = verifiers.project(name)
    const place: Omit<MintScope & RevocationScope, 'actor'> = {
      ...this.#parts,
      projectId,
      project: name,
      keyPrefix,
      keyring: this.#keyring,
      mintFacts: this.#mintFacts,
      waitForApplied: (position) => verifiers.waitForApplied(projectId, position),
      verifyParent: async (text) => verifyParent(await verifiers.of(name), text),
      identifyToken: (text) => verifiers.identifyToken(projectId, text),
    }
    this.#places.set(name, place)
    return place
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
    const writer = once === undefined ? this.#parts.writer : this.#writerOf(once)
    const scope = { ...this.#parts, writer, actor }
    return {
      create: async (input) => {
        const project = await createProject(scope, input)
        this.#verifiers.addProject(project)
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

  #writerOf(once: Once): OnceWriter {
    return new OnceWriter(this.#installation.writer, once)
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
    const request = { credential, ...(ip === undefined ? {} : { context: { ip } }) }
    const verdict = this.#verifiers.verifyCached(MANAGEMENT_PROJECT, request)
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
    const project = management.project === null ? null : this.#verifiers.nameOf(management.project)
    return new ManagementCaller({ keyId, credential, project, verbs: management.verbs, ip, requestId })
  }

  /**
   * The verdict of the node's own verifier of a project, which states no audience: a request that is about tokens must.
   * At once, if nobody needs to be asked. Throws `not_found`.
   */
  verify(project: string, request: VerifyRequest): Verdict | Promise<Verdict> {
    return (
      this.#verifiers.verifyCached(project, request) ??
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
    const customers = this.#verifiers.all.filter((verifier) => verifier !== management)
    const { file } = this.#installation
    return {
      verifiers: customers.map((verifier) => verifier.statistics()),
      management: management.statistics(),
      writer: this.#installation.writer.statistics(),
      edgeVerifiers: this.#parts.edge.registry.counts(),
      unwrittenUsage: this.#chores.usage.unwritten,
      projects: this.#verifiers.projects - 1,
      databaseBytes: sizeOf(file),
      walBytes: sizeOf(`${file}-wal`),
    }
  }

  /**
   * Takes the steps that the keyrings owe by their schedules: publishing, signing with, and retiring keys. The engine does
   * so at its start and each minute; whoever owns the clock may not want to wait for that. Never rejects.
   */
  turnKeyrings(): Promise<void> {
    return this.#chores.turnKeyrings()
  }

  /** Has a refused call to the management API audited, some time after: within a second, or a minute if it is counted. */
  recordRefusal(call: RefusedCall): void {
    this.#chores.refusals.record(call)
  }

  /**
   * Writes what is to be audited yet and signs how far each chain reaches. The engine does so by itself, each minute
   * and at its end. Never rejects.
   */
  async checkpointAudit(): Promise<void> {
    await this.#chores.refusals.flush()
    await this.#chores.checkpoints.make()
  }

  /** The node's own verifier of a project; it states no audience. */
  verifierOf(project: string): Promise<Verifier> {
    return this.#verifiers.of(project)
  }

  /** Another verifier of a project, with caches of its own. */
  openVerifier(project: string, audience?: string | readonly string[]): Promise<Verifier> {
    return this.#verifiers.openAnother(project, audience)
  }

  /** Finishes what is queued, writes the usage and releases the data folder. */
  async close(): Promise<void> {
    await this.#chores.close()
    this.#verifiers.close()
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

  #logReturnFailure(error: unknown): void {
    this.#installation.log({
      message: 'What was reserved of limits could not be given back; it counts as spent.',
      cause: String(error),
    })
  }
}

/** 0: there is no such file. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
