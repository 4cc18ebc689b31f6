import type {
  Change,
  ClientFact,
  Fact,
  IssuersFact,
  SigningKeyFact,
  SubjectRecord,
} from '../changes/change.ts'
import { comparePositions, type Position } from '../changes/position.ts'
import { secretBytes } from '../crypto.ts'
import { type KeyShape, KeyShapes } from '../keys/key-shape.ts'
import type { Limits } from '../limits/limits.ts'
import { RevocationRules } from '../revocation/revocation-rules.ts'
import type { Snapshot } from '../source/source.ts'
import { ALGORITHMS, isSigningAlgorithm } from '../tokens/algorithms.ts'
import { prepareVerificationKey, type VerificationKey } from '../tokens/verification-key.ts'
import { GrantTable } from './grant-table.ts'

/** A fact and the position of the change that brought it: an older change cannot overwrite it (rule F1). */
interface Dated<Value> {
  readonly position: Position
  readonly value: Value
}

interface OwnIssuer {
  readonly url: string
  /** Epoch milliseconds; infinite: the present issuer, whose tokens are accepted without end. */
  readonly acceptedUntilMs: number
}

/** Facts that change the standing of no credential already seen. */
const TELLS_NOTHING_OF_CREDENTIALS: ReadonlySet<Fact['type']> = new Set(['key', 'import', 'audit-checkpoint'])

/**
 * What a verifier knows of its project, apart from single keys: roles, subject records, suspended and counted clients,
 * signing keys, issuers and revocation rules, all as of one position of the feed.
 */
export class ProjectFacts {
  /** The project's name. */
  project = ''
  /**
   * Rises whenever something became known that may change the standing of a credential already seen. Whoever
   * caches a standing stores the version it was worked out at.
   */
  version = 0
  rules = new RevocationRules(new Set())
  /** Of the keys that were issued elsewhere and imported. */
  keyShapes = new KeyShapes([])
  /** What was granted to the credentials seen; no change to the facts changes that. */
  readonly grants = new GrantTable()

  #epochs = new Set<string>()
  #applied: Position | undefined
  /** Numbers applied beyond a gap, by changes of this process that overtook the feed (rule F1). */
  #ahead = new Set<number>()
  #roles = new Map<string, Dated<readonly string[] | null>>()
  #subjects = new Map<string, Dated<SubjectRecord | null>>()
  #clients = new Map<string, Dated<ClientFact>>()
  #signingKeys = new Map<string, Dated<VerificationKey | null>>()
  #shapes = new Map<string, Dated<KeyShape | null>>()
  #issuers: Dated<ReadonlyMap<string, OwnIssuer>> | undefined

  /** The position up to which every change has been applied. */
  get applied(): Position | undefined {
    return this.#applied
  }

  /** The live permissions of a role; undefined when there is no such role (rule R5). */
  rolePermissions(name: string): readonly string[] | undefined {
    return this.#roles.get(name)?.value ?? undefined
  }

  /** The record of a subject of the project's own issuers. */
  subjectRecord(subject: string): SubjectRecord | undefined {
    return this.#subjects.get(subjectKey(null, subject))?.value ?? undefined
  }

  isClientDisabled(id: string): boolean {
    return this.#clients.get(id)?.value.disabled ?? false
  }

  /** What tokens of the client are counted with; undefined: nothing of its own. */
  clientLimits(id: string): Limits | undefined {
    return this.#clients.get(id)?.value.limits
  }

  signingKey(id: string): VerificationKey | undefined {
    return this.#signingKeys.get(id)?.value ?? undefined
  }

  /** One of the project's own issuers, and until when its tokens are accepted; undefined when it is none. */
  ownIssuer(url: string): OwnIssuer | undefined {
    return this.#issuers?.value.get(url)
  }

  /** Replaces everything by what the snapshot says. */
  reset(snapshot: Snapshot): void {
    this.project = snapshot.project
    this.#applied = snapshot.position
    this.#ahead.clear()
    this.#epochs = new Set(snapshot.epochs)
    this.rules = snapshot.rules ?? new RevocationRules(this.#epochs)
    for (const facts of [this.#roles, this.#subjects, this.#clients, this.#signingKeys, this.#shapes]) {
      facts.clear()
    }
    this.keyShapes = new KeyShapes([])
    this.#issuers = undefined
    for (const fact of snapshot.facts) this.#learn(fact, snapshot.position)
    this.#outdate()
  }

  /**
   * Applies one change; one that was applied before is ignored. Answers whether it was new.
   * A change of another epoch is a programmer's error: its source must reset first (rule E1).
   */
  apply(change: Change): boolean {
    const applied = this.#applied
    if (applied === undefined || change.position.epoch !== applied.epoch) {
      throw new TypeError('A change of another epoch came without a snapshot.')
    }
    const { number } = change.position
    if (number <= applied.number || this.#ahead.has(number)) return false
    for (const fact of change.facts) this.#learn(fact, change.position)
    if (change.facts.some(({ type }) => !TELLS_NOTHING_OF_CREDENTIALS.has(type))) this.#outdate()
    let last = applied.number
    if (number === last + 1) last++
    else this.#ahead.add(number)
    while (this.#ahead.delete(last + 1)) last++
    this.#applied = { epoch: applied.epoch, number: last }
    return true
  }

  #outdate(): void {
    this.version++
  }

  #learn(fact: Fact, position: Position): void {
    switch (fact.type) {
      case 'role':
        learn(this.#roles, fact.name, position, fact.permissions)
        break
      case 'subject':
        learn(this.#subjects, subjectKey(fact.issuer, fact.subject), position, fact.record)
        break
      case 'client':
        learn(this.#clients, fact.id, position, fact)
        break
      case 'signing-key':
        learn(this.#signingKeys, fact.id, position, isUsable(fact) ? prepareVerificationKey(fact) : null)
        break
      case 'issuers':
        if (isNewer(position, this.#issuers)) this.#issuers = { position, value: ownIssuers(fact) }
        break
      case 'revocation':
        this.rules.add(fact.rule)
        break
      case 'lift':
        this.rules.lift(fact.ruleId)
        break
      case 'key-shape':
        learn(this.#shapes, fact.name, position, fact.shape)
        this.keyShapes = new KeyShapes(
          [...this.#shapes.values()].flatMap(({ value }) => (value === null ? [] : [value])),
        )
        break
      case 'key':
      case 'audit-checkpoint':
      case 'import':
        break
    }
  }
}

/**
 * Whether tokens can be checked with the key here. One that cannot, since its algorithm is newer than this runtime or
 * its secret stays on the server, is unknown: the others serve on.
 */
function isUsable({ status, algorithm, secret }: SigningKeyFact): boolean {
  if (status === 'retired' || !isSigningAlgorithm(algorithm)) return false
  const { symmetric, isSupported } = ALGORITHMS[algorithm]
  return isSupported() && (!symmetric || (secret !== undefined && secretBytes(secret) !== null))
}

function ownIssuers(fact: IssuersFact): ReadonlyMap<string, OwnIssuer> {
  return new Map(
    fact.own.map(({ url, acceptUntilMs }) => [
      url,
      { url, acceptedUntilMs: acceptUntilMs ?? Number.POSITIVE_INFINITY },
    ]),
  )
}

function learn<Value>(
  facts: Map<string, Dated<Value>>,
  name: string,
  position: Position,
  value: Value,
): void {
  if (isNewer(position, facts.get(name))) facts.set(name, { position, value })
}

function isNewer(position: Position, known: Dated<unknown> | undefined): boolean {
  return known === undefined || comparePositions(position, known.position) >= 0
}

/** A foreign issuer's subject is the pair; the separator stands in no URL. */
function subjectKey(issuer: string | null, subject: string): string {
  return issuer === null ? subject : `${issuer}\n${subject}`
}
