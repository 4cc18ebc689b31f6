import { comparePositions, type Position, type Refusal, refuse, sha256, Verifier } from '@claviger/verify'
import { DatabaseSource } from './changes/database-source.ts'
import { type Clock, systemClock } from './clock.ts'
import { CodedError } from './coded-error.ts'
import type { Actor } from './commands/command.ts'
import type { Problem } from './commands/messages.ts'
import { Writer } from './commands/writer.ts'
import { LimitCounters } from './limits/limit-counters.ts'
import { resetRootKey } from './management/root-key.ts'
import type { Page } from './page.ts'
import { Project } from './project.ts'
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
import { type FolderLock, lockFolder } from './storage/folder-lock.ts'
import { loadMasterKey } from './storage/master-key.ts'
import { type OpenDatabase, openForReading, parseDatabaseAddress } from './storage/open-database.ts'
import { createSealer } from './storage/seal.ts'
import { MintFacts } from './tokens/mint-facts.ts'
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
  /** Told of problems that no caller is shown. Default: standard error. */
  readonly log?: (problem: Problem) => void
  /** Tests own time and randomness. */
  readonly clock?: Clock
  readonly random?: Random
}

/** Who calls the management API, by a management key that may be used now. */
export interface ManagementCaller {
  readonly ok: true
  readonly actor: Actor
  readonly keyId: string
  /** The name of the project that the key is bound to; null: root. */
  readonly project: string | null
  readonly verbs: readonly string[]
}

const DEFAULT_PUBLIC_URL = 'http://127.0.0.1:2528'
const EMBEDDER: Actor = { kind: 'embedder' }
const RULE_EXPIRY_INTERVAL_MS = 3_600_000
/** How late a step of a keyring can be taken. */
const KEYRING_INTERVAL_MS = 60_000
/** A commit reaches this thread within a message's way; one that does not has been lost with its thread. */
const MAX_APPLY_WAIT_MS = 2_000

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
    const writer = await Writer.start({
      databaseFile: file,
      clock,
      random,
      masterKeyFingerprint: masterKey.fingerprint,
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
      limits: new LimitCounters(writer),
    }
    const createdRootKey = await install(parts)
    const engine = new Engine(parts, { lock, database, folder, createdRootKey, log })
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
  readonly database: OpenDatabase
  readonly folder: string
  readonly createdRootKey: Secret | null
  readonly log: (problem: Problem) => void
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
  readonly #openVerifiers = new Set<Verifier>()
  /** Ids of the projects, by name: neither ever changes. */
  readonly #projectIds = new Map<string, string>()
  readonly #usage: UsageRecorder
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
      collect: () => [...this.#openVerifiers].flatMap((verifier) => verifier.takeKeyUses()),
      onFailure: (error) =>
        installation.log({
          message: 'Usage could not be written; it is kept for later.',
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
    // What fell due while nothing ran. It may have key pairs to make, for which no start waits.
    void this.turnKeyrings()
  }

  /** Everything of one project, on behalf of an actor. Throws `not_found`. */
  project(name: string, actor: Actor = EMBEDDER): Project {
    const projectId = this.#projectIds.get(name)
    if (projectId === undefined) throw new CodedError('not_found', 'There is no project of this name.')
    return new Project(
      {
        ...this.#parts,
        projectId,
        project: name,
        actor,
        keyring: this.#keyring,
        mintFacts: this.#mintFacts,
        waitForApplied: (position) => this.#waitForApplied(projectId, position),
        verifyParent: async (text) => (await this.verifierOf(name)).verifyParent(text),
        identifyToken: (text) => this.#identifyToken(projectId, text),
      },
      this,
    )
  }

  /** The projects themselves, on behalf of an actor. */
  projects(actor: Actor = EMBEDDER): {
    create(input: unknown): Promise<ProjectView>
    list(input?: unknown): Promise<Page<ProjectView>>
    read(name: string): Promise<ProjectView>
  } {
    const scope = { ...this.#parts, actor }
    return {
      create: async (input) => {
        const project = await createProject(scope, input)
        this.#projectIds.set(project.name, project.id)
        return project
      },
      list: (input) => listProjects(scope, input),
      read: (name) => readProject(scope, name),
    }
  }

  /**
   * Who presents this management key. The rights are read again inside each command, so a key that is revoked
   * meanwhile changes nothing any more; this answer serves to refuse early and to know the project.
   */
  async authenticate(credential: string, context: { ip?: string } = {}): Promise<ManagementCaller | Refusal> {
    const verdict = await (await this.verifierOf(MANAGEMENT_PROJECT)).verify({ credential, context })
    if (!verdict.ok) return verdict
    const { management, id: keyId } = verdict
    if (management === undefined) return refuse('unknown', 'This is no management key.')
    const project = management.project === null ? null : this.#nameOf(management.project)
    const actor: Actor = { kind: 'management-key', keyId, digest: sha256(credential) }
    return { ok: true, actor, keyId, project, verbs: management.verbs }
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

  /** Whether commands can be stored and credentials be verified now. */
  async isReady(): Promise<boolean> {
    if (!this.#parts.writer.alive) return false
    try {
      await this.#parts.reader.selectFrom('installation').select('id').executeTakeFirst()
      return true
    } catch {
      return false
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

  /** The node's own verifier of a project; it states no audience. */
  verifierOf(project: string): Promise<Verifier> {
    const known = this.#verifiers.get(project)
    if (known !== undefined) return known
    const opening = this.openVerifier(project)
    this.#verifiers.set(project, opening)
    // One that failed to open is tried again by the next who asks.
    opening.catch(() => this.#verifiers.delete(project))
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
    this.#openVerifiers.add(verifier)
    return verifier
  }

  /** Finishes what is queued, writes the usage and releases the data folder. */
  async close(): Promise<void> {
    clearInterval(this.#expiry)
    clearInterval(this.#rotation)
    await this.#turning
    await this.#usage.close()
    for (const verifier of this.#openVerifiers) verifier.close()
    await this.#parts.limits.close().catch((error) => this.#logReturnFailure(error))
    this.#installation.database.sqlite.close()
    await this.#parts.writer.close()
    this.#installation.lock.release()
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
    const identified = await verifier.identify(text)
    if ('code' in identified) return { fault: identified.detail }
    if (identified.kind !== 'token') return { fault: 'The text is an API key, and no token.' }
    return { tokenId: identified.tokenId, expiresAtMs: identified.expiresAtMs }
  }

  #nameOf(projectId: string): string {
    for (const [name, id] of this.#projectIds) if (id === projectId) return name
    throw new TypeError(`no project has the id ${projectId}`)
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
    for (const verifier of this.#openVerifiers) verifier.dropExpiredRules()
  }
}

function logToStandardError({ message, cause }: Problem): void {
  console.error(`claviger: ${message} ${cause}`)
}
