import type { RevocationKind, RevocationRule } from '../changes/change.ts'
import { comparePositions, isBefore, type Position } from '../changes/position.ts'
import { TargetFilter } from './target-filter.ts'
import { KIND_NUMBERS, targetHash } from './target-hash.ts'
import { type TableTarget, TargetTable } from './target-table.ts'

/** What of a token the rules look at. */
export interface TokenIdentity {
  /** Null: one of the project's own issuers. */
  readonly issuer: string | null
  /** `jti`, or the SHA-256 of the signing input of a token without one (rule V1). */
  readonly tokenId: string
  readonly subject: string
  readonly clientId: string | null
  readonly sessionId: string | null
  /** Ids of the tokens and clients that it was derived from: what kills one of those kills it (rule R4). */
  readonly parents?: readonly string[]
  /** Its `pos` claim. That of a foreign token says nothing here and is not looked at. */
  readonly pos: Position | null
  readonly issuedAtMs: number
  /** How far the issuer's clock may be off; 0 for own tokens. */
  readonly skewMs: number
}

/** What of a key the rules look at. */
export interface KeyIdentity {
  readonly id: string
  readonly subject: string
  /** The position of its creation (rule V4). */
  readonly pos: Position
  readonly createdAtMs: number
}

type RulesOfIssuer = Readonly<Record<RevocationKind, Map<string, readonly RevocationRule[]>>>

/** What of a key or a token a rule looks at that has met it. */
interface Judged {
  readonly issuer: string | null
  /** The rules that are only for the others. */
  readonly sparedBy: 'keys' | 'tokens'
  readonly pos: Position | undefined
  /** No later than it was issued. */
  readonly sinceMs: number
}

/** `iat` counts whole seconds, rounded who knows how. */
const ISSUED_AT_DOUBT_MS = 1000

/**
 * The revocation rules of a project, and which credentials they kill (rules V1 to V3).
 *
 * A look-up costs one question to a filter per kind, rarely one to a table or a Map, however many rules there are. Kinds `token`, `session` and `key`
 * kill their one target. `subject`, `client` and `everything` kill what was issued before the rule, or, as a
 * ban, whatever and whenever. A `key` rule kills the key alone: what was issued to it dies by a `client`
 * rule with the key's id, which is absent when `keepIssued` was said (rule V5).
 */
export class RevocationRules {
  readonly #knownEpochs: ReadonlySet<string>
  readonly #issuers = new Map<string | null, RulesOfIssuer>()
  readonly #bans = new Map<string, RevocationRule>()
  /** A lift may arrive before its ban, when a change of this process overtakes the feed (rule F1). */
  readonly #lifted = new Set<string>()
  readonly #seed = Math.floor(Math.random() * 2 ** 32)
  /** Knows every target that has a rule, and some that had one. */
  #filter = new TargetFilter()
  /** Of the rules that stand apart. */
  #size = 0
  /** Most rules, by far: the simple ones of the project's own issuers. */
  #table: TargetTable | undefined

  /** The epochs may grow while the rules live: a `pos` of another is older than every rule (rule E3). */
  constructor(knownEpochs: ReadonlySet<string>) {
    this.#knownEpochs = knownEpochs
  }

  /** How many rules are held. One that another makes needless is not. */
  get size(): number {
    return this.#size + (this.#table?.size ?? 0)
  }

  /** Adds a rule; one that is held already, or was lifted, changes nothing, but that it may last longer now. */
  add(rule: RevocationRule): void {
    if (this.#lifted.has(rule.id) || this.#addToTable(rule)) return
    const targets = this.#rulesOf(rule.issuer)[rule.kind]
    const target = targetOf(rule)
    const held = targets.get(target) ?? []
    if (held.some((other) => isSameForAsLong(other, rule) || makesNeedless(other, rule))) return
    const kept = held.filter((other) => other.id !== rule.id && !makesNeedless(rule, other))
    store(targets, target, [...kept, rule])
    this.#size += kept.length + 1 - held.length
    if (held.length === 0) this.#addToFilter(targetHash(this.#seed, rule.kind, target))
    if (isBan(rule)) this.#bans.set(rule.id, rule)
  }

  /** Ends a ban. Other rules cannot be undone (rule V1): their ids change nothing. */
  lift(ruleId: string): void {
    this.#lifted.add(ruleId)
    const ban = this.#bans.get(ruleId)
    if (ban === undefined) return
    this.#bans.delete(ruleId)
    const targets = this.#rulesOf(ban.issuer)[ban.kind]
    const target = targetOf(ban)
    const held = targets.get(target) ?? []
    store(
      targets,
      target,
      held.filter((rule) => rule.id !== ruleId),
    )
    this.#size--
  }

  /**
   * Drops the rules that no token can meet any more (rule V7), and says how many. Where only few of many rules have
   * ended it waits for more.
   *
   * Keys live on, so whoever holds a key that such a rule killed must have marked it by then, or must ask for
   * it anew: the authority's answer carries the key's state.
   */
  dropExpired(nowMs: number): number {
    const before = this.size
    this.#dropFromTable(nowMs)
    for (const issuer of this.#issuers.values()) {
      for (const targets of Object.values(issuer)) {
        for (const [target, held] of targets) {
          const kept = held.filter((rule) => !isExpired(rule, nowMs))
          if (kept.length === held.length) continue
          store(targets, target, kept)
          this.#size -= held.length - kept.length
        }
      }
    }
    if (this.size !== before) this.#rebuildFilter()
    return before - this.size
  }

  /** Whether a rule kills the token. */
  killsToken(token: TokenIdentity): boolean {
    const { issuer, tokenId, sessionId, clientId, subject, parents = NO_PARENTS } = token
    const judged: Judged = {
      issuer,
      sparedBy: 'keys',
      pos: (issuer === null ? token.pos : null) ?? undefined,
      sinceMs: token.issuedAtMs - ISSUED_AT_DOUBT_MS - token.skewMs,
    }
    return (
      this.#kills('token', tokenId, judged) ||
      (sessionId !== null && this.#kills('session', sessionId, judged)) ||
      (clientId !== null && this.#kills('client', clientId, judged)) ||
      this.#kills('subject', subject, judged) ||
      this.#kills('everything', EVERYTHING, judged) ||
      parents.some((id) => this.#kills('token', id, judged) || this.#kills('client', id, judged))
    )
  }

  /** Whether a rule kills the key. As a client a key goes by its own id. */
  killsKey({ id, subject, pos, createdAtMs }: KeyIdentity): boolean {
    const judged: Judged = { issuer: null, sparedBy: 'tokens', pos, sinceMs: createdAtMs }
    return (
      this.#kills('key', id, judged) ||
      this.#kills('client', id, judged) ||
      this.#kills('subject', subject, judged) ||
      this.#kills('everything', EVERYTHING, judged)
    )
  }

  /** Whether a rule for this target does. */
  #kills(kind: RevocationKind, text: string, judged: Judged): boolean {
    const hash = targetHash(this.#seed, kind, text)
    if (!this.#filter.mayHold(hash)) return false
    if (judged.issuer === null && this.#tableKills({ kind, text, hash }, judged.pos)) return true
    const rules = this.#issuers.get(judged.issuer)?.[kind].get(text) ?? []
    return rules.some((rule) => this.#ruleKills(rule, judged))
  }

  #ruleKills(rule: RevocationRule, { sparedBy, pos, sinceMs }: Judged): boolean {
    if (!hasCutoff(rule)) return true
    if (rule.only === sparedBy) return false
    if (rule.ban) return true
    return (
      isBefore(pos, rule.position, this.#knownEpochs) &&
      (rule.issuedBeforeMs === null || sinceMs < rule.issuedBeforeMs)
    )
  }

  #tableKills(target: TableTarget, pos: Position | undefined): boolean {
    const index = this.#table?.find(target) ?? -1
    if (this.#table === undefined || index < 0) return false
    return !CUTOFF_KINDS.has(target.kind) || isBefore(pos, this.#table.positionOf(index), this.#knownEpochs)
  }

  /** Whether the table has taken the rule, or holds one that makes it needless. */
  #addToTable(rule: RevocationRule): boolean {
    const { kind, target: text, position } = rule
    if (kind === 'everything' || rule.issuer !== null) return false
    const isCutoff = CUTOFF_KINDS.has(kind)
    if (isCutoff && (rule.ban || rule.only !== null || rule.issuedBeforeMs !== null)) return false
    const table = this.#table ?? new TargetTable()
    if (!table.canHold(text, position)) return false
    this.#table = table
    const untilMs = rule.tokensUntilMs ?? Number.POSITIVE_INFINITY
    const hash = targetHash(this.#seed, kind, text)
    const target = { kind, text, hash }
    const index = table.find(target)
    if (index < 0) {
      table.add(target, { position, untilMs })
      this.#addToFilter(hash)
      return true
    }
    const order = isCutoff ? comparePositions(position, table.positionOf(index)) : 0
    if (order <= 0 && untilMs <= table.untilMsOf(index)) return true
    if (order < 0 || untilMs < table.untilMsOf(index)) return false
    table.replace(index, { position, untilMs })
    return true
  }

  #dropFromTable(nowMs: number): void {
    const ended = this.#table?.countEnded(nowMs) ?? 0
    if (ended === 0 || (this.size > MANY_RULES && ended < this.size * WORTH_DROPPING)) return
    this.#table?.dropEnded(nowMs)
  }

  #addToFilter(hash: number): void {
    if (this.#filter.isFull) this.#rebuildFilter()
    else this.#filter.add(hash)
  }

  #rebuildFilter(): void {
    this.#filter = TargetFilter.withRoomFor(this.size)
    for (const hash of this.#table?.hashes() ?? []) this.#filter.add(hash)
    for (const issuer of this.#issuers.values()) {
      for (const kind of KINDS) {
        for (const target of issuer[kind].keys()) this.#filter.add(targetHash(this.#seed, kind, target))
      }
    }
  }

  #rulesOf(issuer: string | null): RulesOfIssuer {
    const known = this.#issuers.get(issuer)
    if (known !== undefined) return known
    const created: RulesOfIssuer = {
      token: new Map(),
      session: new Map(),
      key: new Map(),
      subject: new Map(),
      client: new Map(),
      everything: new Map(),
    }
    this.#issuers.set(issuer, created)
    return created
  }
}

const KINDS = Object.keys(KIND_NUMBERS) as RevocationKind[]

const NO_PARENTS: readonly string[] = []

/** Of these a rule kills what is older than it; of the others its one target, however old. */
const CUTOFF_KINDS: ReadonlySet<RevocationKind> = new Set(['subject', 'client', 'everything'])
/** Of more rules than these, some that have ended are kept until it is worth the while to go through all. */
const MANY_RULES = 10_000
const WORTH_DROPPING = 1 / 16

/** What rules of kind `everything` are found under, whatever target they came with. */
const EVERYTHING = ''

function targetOf(rule: RevocationRule): string {
  return rule.kind === 'everything' ? EVERYTHING : rule.target
}

function hasCutoff(rule: RevocationRule): boolean {
  return CUTOFF_KINDS.has(rule.kind)
}

function isBan(rule: RevocationRule): boolean {
  return rule.ban && hasCutoff(rule)
}

/**
 * Whether `wider` kills all that `narrower` (of the same kind and target) kills, for at least as long. A ban
 * stands apart on both sides: it may be lifted, and what it covered must then still be dead.
 */
function makesNeedless(wider: RevocationRule, narrower: RevocationRule): boolean {
  if (!isAtLeast(wider.tokensUntilMs, narrower.tokensUntilMs)) return false
  if (!hasCutoff(wider)) return true
  return (
    !wider.ban &&
    !narrower.ban &&
    (wider.only === null || wider.only === narrower.only) &&
    comparePositions(wider.position, narrower.position) >= 0 &&
    isAtLeast(wider.issuedBeforeMs, narrower.issuedBeforeMs)
  )
}

function isSameForAsLong(held: RevocationRule, rule: RevocationRule): boolean {
  return held.id === rule.id && isAtLeast(held.tokensUntilMs, rule.tokensUntilMs)
}

/** Compares times of which null means: without end. */
function isAtLeast(a: number | null, b: number | null): boolean {
  return a === null || (b !== null && a >= b)
}

/** A ban meets whatever comes, so there is no last token after which it could go. */
function isExpired(rule: RevocationRule, nowMs: number): boolean {
  return !isBan(rule) && rule.tokensUntilMs !== null && rule.tokensUntilMs < nowMs
}

function store(
  targets: Map<string, readonly RevocationRule[]>,
  target: string,
  rules: readonly RevocationRule[],
): void {
  if (rules.length === 0) targets.delete(target)
  else targets.set(target, rules)
}
