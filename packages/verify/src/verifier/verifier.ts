import { compilePermissionQuery, type PermissionQuery } from '../access/permission-query.ts'
import type { Change } from '../changes/change.ts'
import type { Position } from '../changes/position.ts'
import { sha256 } from '../crypto.ts'
import {
  isRefreshTokenPrefix,
  KEY_MAX_LENGTH,
  looksLikeKeyString,
  parseKeyString,
} from '../keys/key-string.ts'
import type { LimitHolder } from '../limits/limit-keeper.ts'
import { limitedVerdict } from '../limits/limited-verdict.ts'
import type { Snapshot, Source } from '../source/source.ts'
import { MAX_CREDENTIAL_BYTES } from '../tokens/parse-token.ts'
import { type Principal, type Refusal, refuse, type Verdict } from '../verdict.ts'
import { CredentialCache } from './credential-cache.ts'
import { CredentialEntry } from './credential-entry.ts'
import { decide, type Requirements } from './decide.ts'
import { KeyCache, type KeyOrigin } from './key-cache.ts'
import type { KeyCredential } from './key-credential.ts'
import { ProjectFacts } from './project-facts.ts'
import { recogniseToken } from './recognise-token.ts'
import type { TokenCredential } from './token-credential.ts'
import { type UseCount, UseCounts, type VerdictCount } from './use-counts.ts'
import type { VerifyRequest } from './verify-request.ts'

export interface VerifierOptions {
  readonly source: Source
  /**
   * What a token must be meant for, unless a request says otherwise: one or more values of `aud`, or `any`.
   * Without it every token is refused that is verified without an audience of the request's own.
   */
  readonly audience?: string | readonly string[]
  /** How many keys are cached (default 100,000, about 1 KB each). */
  readonly maxCachedKeys?: number
  /** How many tokens are cached (default 50,000, about 2 KB each, of ML-DSA-65 about 7 KB). */
  readonly maxCachedTokens?: number
}

/** What a verifier has done and holds, for whoever watches it. */
export interface VerifierStatistics {
  readonly verdicts: readonly VerdictCount[]
  readonly cachedKeys: number
  /** Texts that are known to be no key. */
  readonly cachedAbsences: number
  readonly cachedTokens: number
  /** Keys asked of the source: what no cache answered. */
  readonly keyFills: number
  /** Tokens parsed and checked by their signature: what no cache answered. */
  readonly tokenChecks: number
  readonly revocationRules: number
}

const MAX_CACHED_ABSENCES = 10_000
/** Facts that go stale again and again between the asking and the answer are no ground for an answer. */
const MAX_REFRESHES = 3
/** Each time that others were quicker to spend what was brought to hand for this call. */
const MAX_LIMIT_WAITS = 20

const UNAVAILABLE = refuse(
  'unavailable',
  'Claviger cannot be asked now, and what is known here may be old. Try again soon.',
)
const UNKNOWN_KEY = refuse('unknown', 'This project has no such key.')
const TOO_LARGE = refuse('malformed', `A credential is at most ${MAX_CREDENTIAL_BYTES} bytes long.`)
const REFRESH_TOKEN = refuse(
  'unknown',
  'This is a refresh token, which opens nothing. Refresh the session with it, and present the access token.',
)
const BAD_CHECKSUM = refuse('malformed', 'The checksum does not fit the key: it was mistyped or cut short.')

/**
 * Decides whether a credential may pass. One class in the server and at the edge; only its source differs.
 *
 * A credential seen before costs one digest (keys) or one comparison (tokens); whether it may still pass is
 * decided anew on each call.
 */
export class Verifier {
  readonly #source: Source
  readonly #audience: string | readonly string[] | undefined
  readonly #facts = new ProjectFacts()
  readonly #keys: KeyCache
  /** Those whose signature was checked. */
  readonly #tokens: CredentialCache<TokenCredential>
  readonly #uses = new UseCounts()
  #tokenChecks = 0
  /** What the last request asked for, and as it is compiled: most ask for the same. */
  #permissions: string | undefined
  #query: PermissionQuery | undefined
  /** The time of the last verdict. */
  #lastMs = Number.NaN
  readonly #sink = {
    reset: (snapshot: Snapshot): void => this.#reset(snapshot),
    apply: (change: Change): void => this.#apply(change),
  }

  private constructor(options: VerifierOptions) {
    this.#source = options.source
    this.#audience = options.audience
    this.#keys = new KeyCache({
      capacity: options.maxCachedKeys ?? 100_000,
      absentCapacity: MAX_CACHED_ABSENCES,
      fetchKey: (digest) => this.#source.fetchKey(digest),
      grants: this.#facts.grants,
    })
    this.#tokens = new CredentialCache(options.maxCachedTokens ?? 50_000)
  }

  /** Resolves when the source's first snapshot is applied; rejects when it cannot be had. */
  static async open(options: VerifierOptions): Promise<Verifier> {
    const verifier = new Verifier(options)
    await options.source.open(verifier.#sink)
    return verifier
  }

  /** What it knows of its project now: for this package's own functions, which only read it. */
  get facts(): ProjectFacts {
    return this.#facts
  }

  /** The position of the feed up to which every change has been applied. */
  get applied(): Position | undefined {
    return this.#facts.applied
  }

  /**
   * The verdict on the credential. A bad credential never throws or rejects; a permission query that does not
   * parse is a `TypeError`, since it is the program's and not the caller's.
   */
  verify(request: VerifyRequest): Promise<Verdict> {
    try {
      const verdict = this.verifyCached(request) ?? this.#verifyUnaided(request)
      return verdict === undefined ? this.#verifyAsking(request) : Promise.resolve(verdict)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * The verdict, if it needs nothing but what is known here: undefined for a credential not seen before, and
   * whenever the facts are not certainly fresh. Call {@link verify} then.
   */
  verifyCached(request: VerifyRequest): Verdict | undefined {
    const found = this.#recall(request.credential)
    return found === undefined ? undefined : this.#answer(request, found)
  }

  /**
   * Whom a text names, whether or not it may pass: a refusal unless it is a key of the project or a token that the
   * project signed.
   */
  async recognise(credential: string): Promise<KeyCredential | TokenCredential | Refusal> {
    if (typeof credential === 'string') {
      if (looksLikeKeyString(credential)) return this.#recogniseKey(credential)
      if (this.#facts.keyShapes.matches(credential)) return this.#lookUp(credential, 'foreign')
    }
    return this.#tokenSeen(credential) ?? this.#recogniseToken(credential)
  }

  /** Counts since it was opened, and what it holds now. */
  statistics(): VerifierStatistics {
    return {
      verdicts: this.#uses.verdicts(),
      cachedKeys: this.#keys.size,
      cachedAbsences: this.#keys.absences,
      cachedTokens: this.#tokens.size,
      keyFills: this.#keys.fills,
      tokenChecks: this.#tokenChecks,
      revocationRules: this.#facts.rules.size,
    }
  }

  /** Hands over what was counted since the last call. */
  takeUses(): UseCount[] {
    return this.#uses.take()
  }

  /**
   * Forgets revocation rules that no token can meet any more (rule V7). Keys are looked up anew: the answer
   * says for ever which of them such a rule has killed.
   */
  dropExpiredRules(): void {
    const { applied } = this.#facts
    if (applied !== undefined && this.#facts.rules.dropExpired(this.#source.nowMs()) > 0)
      this.#keys.dropAll(applied)
  }

  /** Takes no more facts from the source. The source itself stays open for others. */
  close(): void {
    this.#source.close(this.#sink)
  }

  /** The verdict on what is no key, for which nobody needs to be asked. */
  #verifyUnaided(request: VerifyRequest): Verdict | Promise<Verdict> | undefined {
    const { credential } = request
    if (typeof credential === 'string' && this.#mayBeKey(credential)) return undefined
    const found = this.#recogniseToken(credential)
    return found instanceof Promise ? this.#answerLater(request, found) : this.#answer(request, found)
  }

  /** The verdict on a token whose signature is still being checked, by the facts and the time when that is done. */
  async #answerLater(request: VerifyRequest, found: Promise<TokenCredential | Refusal>): Promise<Verdict> {
    return this.#answer(request, await found) ?? this.#verifyAsking(request)
  }

  /** The verdict on what was found, unless the facts are not certainly fresh. */
  #answer(
    request: VerifyRequest,
    found: KeyCredential | TokenCredential | Refusal | null,
  ): Verdict | undefined {
    const required = this.#require(request)
    if (!(found instanceof CredentialEntry)) {
      const refusal = found ?? UNKNOWN_KEY
      const certain = refusal.code === 'malformed' || refusal.code === 'unavailable' || this.#isFresh()
      if (!certain) return undefined
      this.#uses.refused(null, refusal.code, request, this.#source.nowMs())
      return refusal
    }
    // By the time of the last verdict first: where that is still the time, one look at the clocks is enough.
    let verdict = decide(found, this.#facts, required, this.#lastMs)
    const nowMs = this.#source.freshAtMs()
    if (nowMs === undefined) return undefined
    if (nowMs !== this.#lastMs) {
      this.#lastMs = nowMs
      verdict = decide(found, this.#facts, required, nowMs)
      if (!this.#isFresh()) return undefined
    }
    const answer =
      !verdict.ok || found.limitHolders === null
        ? verdict
        : this.#spend(found.limitHolders, { cost: required.cost, principal: verdict, nowMs })
    if (answer === undefined) return undefined
    if (answer.ok) this.#uses.passed(found, request, nowMs)
    else this.#uses.refused(found, answer.code, request, nowMs)
    return answer
  }

  #isFresh(): boolean {
    return this.#source.freshAtMs() !== undefined
  }

  /** The verdict with the limits spent, or refused for them; undefined: it has to be waited for. */
  #spend(
    holders: readonly LimitHolder[],
    {
      cost,
      principal,
      nowMs,
    }: { readonly cost: number; readonly principal: Principal; readonly nowMs: number },
  ): Verdict | undefined {
    const spending = this.#source.limits.spend({ holders, cost, nowMs })
    return spending === undefined ? undefined : limitedVerdict(principal, spending)
  }

  /** Asks for the key, and for freshness, until there is an answer that both allow. */
  async #verifyAsking(request: VerifyRequest): Promise<Verdict> {
    let refreshes = 0
    let waits = 0
    while (refreshes <= MAX_REFRESHES && waits <= MAX_LIMIT_WAITS) {
      const found = await this.recognise(request.credential)
      const verdict = this.#answer(request, found)
      if (verdict !== undefined) return verdict
      if (this.#isFresh() && found instanceof CredentialEntry && found.limitHolders !== null) {
        waits++
        if (!(await this.#prepareLimits(found.limitHolders, costOf(request)))) break
      } else {
        refreshes++
        if (!(await this.#source.refresh())) break
      }
    }
    this.#uses.refused(null, UNAVAILABLE.code, request, this.#source.nowMs())
    return UNAVAILABLE
  }

  /** Whether the limits can be counted: a counter that cannot be asked lets nobody pass. */
  async #prepareLimits(holders: readonly LimitHolder[], cost: number): Promise<boolean> {
    try {
      await this.#source.limits.prepare({ holders, cost, nowMs: this.#source.nowMs() })
      return true
    } catch {
      return false
    }
  }

  /** What is cached for the text: null when it is known to be no key, undefined when nothing is known. */
  #recall(credential: string): KeyCredential | TokenCredential | null | undefined {
    if (typeof credential !== 'string') return undefined
    return this.#mayBeKey(credential) ? this.#keys.get(sha256(credential)) : this.#tokens.get(credential)
  }

  /** Of what may be neither, a token is as long as this or longer: but for keys of foreign shape, length decides. */
  #mayBeKey(credential: string): boolean {
    return credential.length <= KEY_MAX_LENGTH || this.#facts.keyShapes.matches(credential)
  }

  #tokenSeen(credential: string): TokenCredential | undefined {
    return typeof credential === 'string' ? this.#tokens.get(credential) : undefined
  }

  #recogniseToken(credential: string): TokenCredential | Refusal | Promise<TokenCredential | Refusal> {
    if (typeof credential !== 'string') return refuse('malformed', 'The credential is no text.')
    if (credential.length > MAX_CREDENTIAL_BYTES) return TOO_LARGE
    this.#tokenChecks++
    const token = recogniseToken(credential, this.#facts)
    return token instanceof Promise ? token.then((read) => this.#keep(read)) : this.#keep(token)
  }

  #keep(token: TokenCredential | Refusal): TokenCredential | Refusal {
    if (token instanceof CredentialEntry) this.#tokens.set(token)
    return token
  }

  async #recogniseKey(credential: string): Promise<KeyCredential | Refusal> {
    const key = parseKeyString(credential)
    if (key === undefined) return BAD_CHECKSUM
    return isRefreshTokenPrefix(key.prefix) ? REFRESH_TOKEN : this.#lookUp(credential, 'own')
  }

  async #lookUp(credential: string, origin: KeyOrigin): Promise<KeyCredential | Refusal> {
    const digest = sha256(credential)
    const known = this.#keys.get(digest)
    if (known !== undefined) return known ?? UNKNOWN_KEY
    try {
      return (await this.#keys.fetch(digest, origin)) ?? UNKNOWN_KEY
    } catch {
      return UNAVAILABLE
    }
  }

  #require(request: VerifyRequest): Requirements {
    const permissions = request.require?.permissions
    if (permissions !== this.#permissions) {
      this.#query = compile(permissions)
      this.#permissions = permissions
    }
    return {
      audience: request.require?.audience ?? this.#audience,
      query: this.#query,
      ip: request.context?.ip,
      cost: costOf(request),
    }
  }

  #reset(snapshot: Snapshot): void {
    this.#facts.reset(snapshot)
    this.#keys.dropAll(snapshot.position)
    this.#tokens.clear()
  }

  #apply(change: Change): void {
    if (!this.#facts.apply(change)) return
    for (const fact of change.facts) {
      if (fact.type === 'key') this.#keys.drop(fact.digests, change.position)
      if (fact.type === 'import') this.#keys.dropAbsent(change.position)
      // A text of a shape that is gone is no key any more, whatever is cached under its digest.
      if (fact.type === 'key-shape' && fact.shape === null) this.#keys.dropAll(change.position)
      // What a lifted ban had killed is marked so in the answers that were fetched under it.
      if (fact.type === 'lift') this.#keys.dropAll(change.position)
    }
  }
}

/** A cost that is no count is the program's mistake, and must not pass for nothing. */
function costOf({ cost = 1 }: VerifyRequest): number {
  if (Number.isSafeInteger(cost) && cost >= 0) return cost
  throw new TypeError('`cost` must be a non-negative integer.')
}

function compile(query: string | undefined): PermissionQuery | undefined {
  if (query === undefined) return undefined
  const compiled = compilePermissionQuery(query)
  if ('fault' in compiled) throw new TypeError(compiled.fault)
  return compiled
}
