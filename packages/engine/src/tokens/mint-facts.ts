import {
  comparePositions,
  type HeaderAlgorithm,
  isHeaderAlgorithm,
  type Position,
  type SigningAlgorithm,
} from '@claviger/verify'
import { type AudienceDefaults, audienceDefaults } from '../audiences/audience-defaults.ts'
import { CodedError } from '../coded-error.ts'
import type { Writer } from '../commands/writer.ts'
import { authorizeCaller, type Rights } from '../management/authorize.ts'
import type { CallerFacts, CallersAt } from '../management/caller-facts.ts'
import { Remembered } from '../remembered.ts'
import { type GivenRights, heldPermissions, requireRoles } from '../roles/role-permissions.ts'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import { type Issuer, readIssuer } from './read-issuer.ts'

/** Projects that are minted for at a time; another one reads its facts anew. */
const MAX_PROJECTS = 1_000
/** Sets of rights, audiences and algorithms kept a project. */
const MAX_KEPT = 1_000

const headsQuery = new PreparedQuery((db, parameter: Parameter<{ projectId: string }>) =>
  db
    .selectFrom('projects')
    .select(['id', 'epoch', 'head', 'algorithm'])
    .where('id', 'in', [parameter('projectId'), MANAGEMENT_PROJECT]),
)

interface Head extends Position {
  readonly id: string
  readonly algorithm: string
}

/**
 * What minting reads, kept for as long as neither the project nor the management keys change: every mutation that
 * could make an answer another one takes a position in one of the two (rules C1, C3). What was read after a head was
 * seen is at least as new as the head (rule V2).
 *
 * The head is not read anew while the writer has told of no other: no other process writes to the database, and the
 * writer tells of a change before anyone is told that it was made.
 */
export class MintFacts {
  readonly #reader: Scope['reader']
  readonly #writer: Pick<Writer, 'alive' | 'onChanges'>
  readonly #callers: CallerFacts
  readonly #told = new Map<string, Position>()
  readonly #latest = new Map<string, FactsAt>()

  constructor({
    reader,
    writer,
    callers,
  }: Pick<Scope, 'reader' | 'callers'> & { writer: Pick<Writer, 'alive' | 'onChanges'> }) {
    this.#reader = reader
    this.#writer = writer
    this.#callers = callers
    writer.onChanges((projectId, { position }) => void this.#told.set(projectId, position))
  }

  /** The facts as of now, whose position becomes the token's `pos`. */
  async current({ projectId, project }: Pick<Scope, 'projectId' | 'project'>): Promise<FactsAt> {
    const kept = this.#latest.get(projectId)
    if (kept !== undefined && this.#isCurrent(kept, projectId)) return kept
    const reader = this.#reader
    const rows = await headsQuery.execute(reader, { projectId })
    const heads = rows.map((row): Head => ({ ...row, number: row.head }))
    const own = heads.find(({ id }) => id === projectId)
    const management = heads.find(({ id }) => id === MANAGEMENT_PROJECT)
    if (own === undefined || management === undefined) {
      throw new CodedError('not_found', 'There is no such project.')
    }
    const facts = new FactsAt({ reader, projectId, project }, own, this.#callers.at(management))
    this.#latest.delete(projectId)
    for (const oldest of this.#latest.keys()) {
      if (this.#latest.size < MAX_PROJECTS) break
      this.#latest.delete(oldest)
    }
    this.#latest.set(projectId, facts)
    return facts
  }

  #isCurrent({ position, callers }: FactsAt, projectId: string): boolean {
    const told = this.#told.get(projectId)
    return (
      this.#writer.alive &&
      (told === undefined || comparePositions(told, position) === 0) &&
      this.#callers.areCurrent(callers)
    )
  }
}

/** The facts of one project at one pair of heads; each is read at its first use. */
export class FactsAt {
  readonly position: Position
  readonly callers: CallersAt
  readonly #place: Pick<Scope, 'reader' | 'projectId' | 'project'>
  readonly #algorithm: string
  readonly #held = new Remembered<readonly string[]>(MAX_KEPT)
  readonly #defaults = new Remembered<AudienceDefaults>(MAX_KEPT)
  readonly #issuers = new Remembered<Issuer>(MAX_KEPT)

  constructor(place: Pick<Scope, 'reader' | 'projectId' | 'project'>, own: Head, callers: CallersAt) {
    this.#place = place
    this.position = { epoch: own.epoch, number: own.number }
    this.callers = callers
    this.#algorithm = own.algorithm
  }

  /** What the project signs with where nothing else is said. */
  get algorithm(): HeaderAlgorithm {
    if (isHeaderAlgorithm(this.#algorithm)) return this.#algorithm
    throw new CodedError('internal', `The project signs with ${this.#algorithm}, which is not known here.`)
  }

  /** The caller's rights, once it is known that it may mint now (rules M1, M2). */
  async rights({ actor, clock }: Pick<Scope, 'actor' | 'clock'>): Promise<Rights> {
    const { projectId } = this.#place
    const caller = await this.callers.read(actor)
    return authorizeCaller(caller, { nowMs: clock.nowMs(), projectId, verb: 'tokens:mint' })
  }

  /** What a token with these rights holds. Throws `invalid_request` for a role that the project does not have (rule R5). */
  held(given: GivenRights): Promise<readonly string[]> {
    const place = { db: this.#place.reader, projectId: this.#place.projectId }
    return this.#held.get(JSON.stringify([given.roles, given.permissions, given.scopes]), async () => {
      await requireRoles(place, given.roles)
      return heldPermissions(place, given)
    })
  }

  /** What a token for these audiences gets where the call does not say. */
  defaults(audiences: readonly string[]): Promise<AudienceDefaults> {
    const place = { db: this.#place.reader, projectId: this.#place.projectId }
    return this.#defaults.get(JSON.stringify(audiences), () => audienceDefaults(place, audiences))
  }

  /** Who issues the project's tokens, and the active key of the algorithm's ring; null before there is one. */
  issuer(algorithm: SigningAlgorithm): Promise<Issuer> {
    return this.#issuers.get(algorithm, () => readIssuer(this.#place, algorithm))
  }
}
