import type { VerdictCode } from '../verdict.ts'
import type { CredentialEntry } from './credential-entry.ts'
import type { VerifyRequest } from './verify-request.ts'

/** How many verdicts were alike. */
export interface VerdictCount {
  /** `none`: the credential was not recognised, so it is neither. */
  readonly kind: 'key' | 'token' | 'none'
  readonly outcome: 'ok' | VerdictCode
  readonly count: number
}

/** Verifications that have everything in common, since they were last collected. */
export interface UseCount {
  /** Null: the text named no credential. */
  readonly kind: 'key' | 'token' | null
  /** The key; of a token the client that it was issued to. Empty: none. */
  readonly keyId: string
  /** Empty: none. */
  readonly subject: string
  /** `ok`, or the code of the refusal. */
  readonly outcome: string
  /** JSON list, sorted. */
  readonly tags: string
  /** As the request gave it. Empty: none. */
  readonly ip: string
  readonly count: number
  /** No later than the first of these, and no earlier than the collection before. */
  readonly atMs: number
}

/** What a use is counted under where addresses and tags are too many to be kept apart. */
const OTHER = 'other'
const OTHER_TAGS = JSON.stringify([OTHER])
const NO_TAGS = '[]'
/** Beyond it, within one collection, addresses and tags are no longer kept apart. */
const MAX_APART = 10_000
const MAX_IP_LENGTH = 64
const MAX_TAGS = 20
const TAG = /^[A-Za-z0-9_.:/@=+-]{1,64}$/

/**
 * Counts verifications, once for two readers: those who collect the uses, and those who watch the verdicts. A credential
 * that passes again from the same address and without tags costs an increment; all else goes through a table, whose
 * size no caller decides.
 */
export class UseCounts {
  #used: CredentialEntry[] = []
  #apart = new Map<string, Mutable<UseCount>>()
  /** When the first use since the last collection was. */
  #openedAtMs = 0
  /** What passed and was collected. */
  readonly #passed = { key: 0, token: 0 }
  readonly #refused = {
    key: new Map<VerdictCode, number>(),
    token: new Map<VerdictCode, number>(),
    none: new Map<VerdictCode, number>(),
  }

  passed(entry: CredentialEntry, request: VerifyRequest, nowMs: number): void {
    const ip = request.context?.ip
    if (request.tags === undefined) {
      if (entry.uses === 0) {
        if (this.#used.length === 0) this.#openedAtMs = nowMs
        entry.uses = 1
        entry.usedFrom = ip
        this.#used.push(entry)
        return
      }
      if (entry.usedFrom === ip) {
        entry.uses++
        return
      }
    }
    this.#passed[entry.kind]++
    this.#count(entry, 'ok', request, nowMs)
  }

  refused(entry: CredentialEntry | null, code: VerdictCode, request: VerifyRequest, nowMs: number): void {
    const refused = this.#refused[entry?.kind ?? 'none']
    refused.set(code, (refused.get(code) ?? 0) + 1)
    this.#count(entry, code, request, nowMs)
  }

  /** Hands over what was counted since the last call. */
  take(): UseCount[] {
    const counts: UseCount[] = [...this.#apart.values()]
    const atMs = this.#openedAtMs
    for (const entry of this.#used) {
      const { uses: count, usedFrom } = entry
      counts.push({ ...identityOf(entry), outcome: 'ok', tags: NO_TAGS, ip: shortIp(usedFrom), count, atMs })
      this.#passed[entry.kind] += count
      entry.uses = 0
    }
    this.#used = []
    this.#apart = new Map()
    return counts
  }

  /** Every verdict since the verifier was opened, collected or not; of refusals those that occurred. */
  verdicts(): VerdictCount[] {
    const passed = { ...this.#passed }
    for (const { kind, uses } of this.#used) passed[kind] += uses
    const refused = Object.entries(this.#refused).flatMap(([kind, counts]) =>
      [...counts].map(([outcome, count]) => ({ kind: kind as VerdictCount['kind'], outcome, count })),
    )
    return [
      { kind: 'key', outcome: 'ok', count: passed.key },
      { kind: 'token', outcome: 'ok', count: passed.token },
      ...refused,
    ]
  }

  #count(entry: CredentialEntry | null, outcome: string, request: VerifyRequest, atMs: number): void {
    const apart = this.#apart.size < MAX_APART
    const written = writeTags(request.tags)
    const tags = apart || written === NO_TAGS ? written : OTHER_TAGS
    const from = request.context?.ip
    const ip = shortIp(apart || from === undefined ? from : OTHER)
    const use = { ...(entry === null ? NOBODY : identityOf(entry)), outcome, tags, ip }
    const name = JSON.stringify(Object.values(use))
    const known = this.#apart.get(name)
    if (known !== undefined) known.count++
    else this.#apart.set(name, { ...use, count: 1, atMs })
  }
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

const NOBODY = { kind: null, keyId: '', subject: '' } as const

function identityOf(entry: CredentialEntry): Pick<UseCount, 'kind' | 'keyId' | 'subject'> {
  return { kind: entry.kind, keyId: entry.usedKeyId, subject: entry.subject }
}

function shortIp(ip: string | undefined): string {
  if (ip === undefined) return ''
  return typeof ip === 'string' && ip.length <= MAX_IP_LENGTH ? ip : OTHER
}

/** As they are counted. Tags that are not valid are a `TypeError`. */
export function writeTags(tags: readonly string[] | undefined): string {
  if (tags === undefined || tags.length === 0) return NO_TAGS
  if (tags.length > MAX_TAGS || !tags.every((tag) => typeof tag === 'string' && TAG.test(tag)))
    throw new TypeError('`tags` are at most 20, each 1 to 64 of A-Z a-z 0-9 and _ . : / @ = + -')
  return JSON.stringify([...new Set(tags)].sort())
}
