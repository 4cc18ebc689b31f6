import {
  comparePositions,
  identify,
  type Position,
  type Verdict,
  Verifier,
  type VerifyRequest,
} from '@claviger/verify'
import { DatabaseSource } from './changes/database-source.ts'
import { CodedError } from './coded-error.ts'
import type { ResolvedProject } from './projects/resolve-project.ts'
import type { EngineParts } from './scope.ts'
import { inProject, type ProjectUse } from './usage/project-use.ts'

/** A commit reaches this thread within a message's way; one that does not has been lost with its thread. */
const MAX_APPLY_WAIT_MS = 2_000

/** The projects by name, and the verifiers that are open in this process: one of the node's own a project, and others. */
export class OpenVerifiers {
  readonly #parts: EngineParts
  /** By name. Nothing of it ever changes. */
  readonly #projects = new Map<string, ResolvedProject>()
  /** The node's own. */
  readonly #own = new Map<string, Promise<Verifier>>()
  /** Those of them that have opened. */
  readonly #ready = new Map<string, Verifier>()
  /** Every one, with the id of its project. */
  readonly #open = new Map<Verifier, string>()

  constructor(parts: EngineParts) {
    this.#parts = parts
  }

  get projects(): number {
    return this.#projects.size
  }

  get all(): readonly Verifier[] {
    return [...this.#open.keys()]
  }

  addProject({ name, id, keyPrefix }: ResolvedProject): void {
    this.#projects.set(name, { name, id, keyPrefix })
  }

  hasProject(name: string): boolean {
    return this.#projects.has(name)
  }

  /** Throws `not_found`. */
  project(name: string): ResolvedProject {
    const project = this.#projects.get(name)
    if (project === undefined) throw new CodedError('not_found', 'There is no project of this name.')
    return project
  }

  nameOf(projectId: string): string {
    for (const { name, id } of this.#projects.values()) if (id === projectId) return name
    throw new TypeError(`no project has the id ${projectId}`)
  }

  /** The verdict of the node's own verifier, if nobody needs to be asked. */
  verifyCached(project: string, request: VerifyRequest): Verdict | undefined {
    return this.#ready.get(project)?.verifyCached(request)
  }

  /** The node's own verifier of a project; it states no audience. */
  of(project: string): Promise<Verifier> {
    const known = this.#own.get(project)
    if (known !== undefined) return known
    const opening = this.openAnother(project)
    this.#own.set(project, opening)
    opening.then(
      (verifier) => this.#ready.set(project, verifier),
      // One that failed to open is tried again by the next who asks.
      () => this.#own.delete(project),
    )
    return opening
  }

  /** Another verifier of a project, with caches of its own. */
  async openAnother(project: string, audience?: string | readonly string[]): Promise<Verifier> {
    const projectId = this.project(project).id
    const verifier = await Verifier.open({ source: new DatabaseSource(this.#parts, projectId), audience })
    this.#open.set(verifier, projectId)
    return verifier
  }

  /**
   * Resolves once the node's own verifier has applied the position: whoever signs a token with it must not be
   * behind it (rule V2).
   */
  async waitForApplied(projectId: string, position: Position): Promise<void> {
    const verifier = await this.of(this.nameOf(projectId))
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

  async identifyToken(
    projectId: string,
    text: string,
  ): Promise<{ tokenId: string; expiresAtMs: number } | { fault: string }> {
    const identified = await identify(await this.of(this.nameOf(projectId)), text)
    if ('code' in identified) return { fault: identified.detail }
    if (identified.kind !== 'token') return { fault: 'The text is an API key, and no token.' }
    return { tokenId: identified.tokenId, expiresAtMs: identified.expiresAtMs }
  }

  /** Hands over what was counted since the last call. */
  takeUses(): ProjectUse[] {
    return [...this.#open].flatMap(([verifier, projectId]) =>
      verifier.takeUses().map((use) => inProject(projectId, use)),
    )
  }

  dropExpiredRules(): void {
    for (const verifier of this.#open.keys()) verifier.dropExpiredRules()
  }

  close(): void {
    for (const verifier of this.#open.keys()) verifier.close()
  }
}
