import type { RevocationKind, RevocationRule } from '../changes/change.ts'
import { comparePositions, isBefore, type Position } from '../changes/position.ts'
import { TargetFilter } from './target-filter.ts'

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

/** Most targets have one rule, which stands alone: an array would weigh as much as its place in the Map. */
type RulesOfTarget = RevocationRule | readonly RevocationRule[]

type RulesOfIssuer = Readonly<Record<RevocationKind, Map<string, RulesOfTarget>>>

/** `iat` counts whole seconds, rounded who knows how. */
const ISSUED_AT_DOUBT_MS = 1000

/**
 * The revocation rules of a project, and which credentials they kill (rules V1 to V3).
 *
 * A look-up costs one question to a filter per kind, rarely a Map access, however many rules there are. Kinds `token`, `session` and `key`
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
  /** Knows every target that has a rule, and some that had one. */
  #filter = new TargetFilter()
  #size = 0

  /** The epochs may grow while the rules live: a `pos` of another is older than every rule (rule E3). */
  constructor(knownEpochs: ReadonlySet<string>) {
    this.#knownEpochs = knownEpochs
  }

  /** How many rules are held. One that another makes needless is not. */
  get size(): number {
    return this.#size
  }

  /** Adds a rule; one that is held already, or was lifted, changes nothing, but that it may last longer now. */
  add(rule: RevocationRule): void {
    if (this.#lifted.has(rule.id)) return
    const targets = this.#rulesOf(rule.issuer)[rule.kind]
    const target = targetOf(rule)
    const held = listOf(targets.get(target))
    if (held.some((other) => isSameForAsLong(other, rule) || makesNeedless(other, rule))) return
    const kept = held.filter((other) => other.id !== rule.id && !makesNeedless(rule, other))
    store(targets, target, [...kept, rule])
    this.#size += kept.length + 1 - held.length
    if (held.length === 0) this.#addToFilter(rule.kind, target)
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
    const held = listOf(targets.get(target))
    store(
      targets,
      target,
      held.filter((rule) => rule.id !== ruleId),
    )
    this.#size--
  }

  /**
   * Drops the rules that no token can meet any more (rule V7), and says how many. Looks at every rule, 0.1 µs
   * each: for now and then, not for each request.
   *
   * Keys live on, so whoever holds a key that such a rule killed must have marked it by then, or must ask for
   * it anew: the authority's answer carries the key's state.
   */
  dropExpired(nowMs: number): number {
    const before = this.#size
    for (const issuer of this.#issuers.values()) {
      for (const targets of Object.values(issuer)) {
        for (const [target, rules] of targets) {
          const held = listOf(rules)
          const kept = held.filter((rule) => !isExpired(rule, nowMs))
          if (kept.length === held.length) continue
          store(targets, target, kept)
          this.#size -= held.length - kept.length
        }
      }
    }
    if (this.#size !== before) this.#rebuildFilter()
    return before - this.#size
  }

  /** A rule that kills the token, the narrowest kind first. */
  killerOfToken(token: TokenIdentity): RevocationRule | undefined {
    const issuer = this.#issuers.get(token.issuer)
    if (issuer === undefined) return undefined
    const kills = (rule: RevocationRule): boolean => this.#killsToken(rule, token)
    const { tokenId, sessionId, clientId, subject } = token
    return (
      find(this.#lookUp(issuer, 'token', tokenId), kills) ??
      (sessionId === null ? undefined : find(this.#lookUp(issuer, 'session', sessionId), kills)) ??
      (clientId === null ? undefined : find(this.#lookUp(issuer, 'client', clientId), kills)) ??
      find(this.#lookUp(issuer, 'subject', subject), kills) ??
      find(issuer.everything.get(EVERYTHING), kills) ??
      this.#killerOfParents(issuer, token.parents ?? NO_PARENTS, kills)
    )
  }

  /** A rule that kills the key, the narrowest kind first. As a client a key goes by its own id. */
  killerOfKey(key: KeyIdentity): RevocationRule | undefined {
    const issuer = this.#issuers.get(null)
    if (issuer === undefined) return undefined
    const kills = (rule: RevocationRule): boolean => this.#killsKey(rule, key)
    return (
      find(this.#lookUp(issuer, 'key', key.id), kills) ??
      find(this.#lookUp(issuer, 'client', key.id), kills) ??
      find(this.#lookUp(issuer, 'subject', key.subject), kills) ??
      find(issuer.everything.get(EVERYTHING), kills)
    )
  }

  #killerOfParents(
    issuer: RulesOfIssuer,
    parents: readonly string[],
    kills: (rule: RevocationRule) => boolean,
  ): RevocationRule | undefined {
    for (const id of parents) {
      const killer =
        find(this.#lookUp(issuer, 'token', id), kills) ?? find(this.#lookUp(issuer, 'client', id), kills)
      if (killer !== undefined) return killer
    }
    return undefined
  }

  #lookUp(issuer: RulesOfIssuer, kind: RevocationKind, target: string): RulesOfTarget | undefined {
    return this.#filter.mayHold(kind, target) ? issuer[kind].get(target) : undefined
  }

  #addToFilter(kind: RevocationKind, target: string): void {
    if (this.#filter.isFull) this.#rebuildFilter()
    else this.#filter.add(kind, target)
  }

  #rebuildFilter(): void {
    this.#filter = TargetFilter.withRoomFor(this.#size)
    for (const issuer of this.#issuers.values()) {
      for (const kind of KINDS) {
        for (const target of issuer[kind].keys()) this.#filter.add(kind, target)
      }
    }
  }

  #killsToken(rule: RevocationRule, token: TokenIdentity): boolean {
    if (!hasCutoff(rule)) return true
    if (rule.only === 'keys') return false
    if (rule.ban) return true
    const pos = token.issuer === null ? (token.pos ?? undefined) : undefined
    if (!isBefore(pos, rule.position, this.#knownEpochs)) return false
    return (
      rule.issuedBeforeMs === null ||
      token.issuedAtMs < rule.issuedBeforeMs + ISSUED_AT_DOUBT_MS + token.skewMs
    )
  }

  #killsKey(rule: RevocationRule, key: KeyIdentity): boolean {
    if (!hasCutoff(rule)) return true
    if (rule.only === 'tokens') return false
    if (rule.ban) return true
    if (!isBefore(key.pos, rule.position, this.#knownEpochs)) return false
    return rule.issuedBeforeMs === null || key.createdAtMs < rule.issuedBeforeMs
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

const KINDS = ['token', 'session', 'key', 'subject', 'client', 'everything'] as const

const NO_PARENTS: readonly string[] = []

/** What rules of kind `everything` are found under, whatever target they came with. */
const EVERYTHING = ''

function targetOf(rule: RevocationRule): string {
  return rule.kind === 'everything' ? EVERYTHING : rule.target
}

function hasCutoff(rule: RevocationRule): boolean {
  return rule.kind === 'subject' || rule.kind === 'client' || rule.kind === 'everything'
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

function listOf(rules: RulesOfTarget | undefined): readonly RevocationRule[] {
  if (rules === undefined) return []
  return isList(rules) ? rules : [rules]
}

function isList(rules: RulesOfTarget): rules is readonly RevocationRule[] {
  return Array.isArray(rules)
}

function store(targets: Map<string, RulesOfTarget>, target: string, rules: readonly RevocationRule[]): void {
  const [first, second] = rules
  if (first === undefined) targets.delete(target)
  else targets.set(target, second === undefined ? first : rules)
}

function find(
  rules: RulesOfTarget | undefined,
  kills: (rule: RevocationRule) => boolean,
): RevocationRule | undefined {
  if (rules === undefined) return undefined
  if (isList(rules)) return rules.find(kills)
  return kills(rules) ? rules : undefined
}
