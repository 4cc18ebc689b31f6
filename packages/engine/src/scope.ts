import type { Kysely } from 'kysely'
import type { AuditKeys } from './audit/audit-keys.ts'
import type { Clock } from './clock.ts'
import type { Actor } from './commands/command.ts'
import type { CommandRunner } from './commands/writer.ts'
import type { EdgeGrants } from './edge/edge-grants.ts'
import type { LeasedUnits } from './limits/leased-units.ts'
import type { LimitCounters } from './limits/limit-counters.ts'
import type { CallerFacts } from './management/caller-facts.ts'
import type { Random } from './random.ts'
import type { RefreshTokens } from './sessions/refresh-token.ts'
import type { Schema } from './storage/schema.ts'
import type { Sealer } from './storage/seal.ts'
import type { ApartBound } from './usage/apart-bound.ts'
import type { IssueCounts } from './usage/issue-counts.ts'

/** What the parts of one engine share; made by the composition root (`create-engine.ts`). */
export interface EngineParts {
  readonly clock: Clock
  readonly random: Random
  readonly writer: CommandRunner
  /** Reads on the calling thread; sees every commit that was acknowledged. */
  readonly reader: Kysely<Schema>
  /** Who calls, from memory while no management key changes. */
  readonly callers: CallerFacts
  readonly sealer: Sealer
  readonly refreshTokens: RefreshTokens
  readonly auditKeys: AuditKeys
  /** What is spent of limits, by all verifiers of the process. */
  readonly limits: LimitCounters
  /** What verifiers in other processes were given of them. */
  readonly leasedUnits: LeasedUnits
  /** The verifiers in other processes, and what they were granted. */
  readonly edge: EdgeGrants
  /** Counts what is issued without a row of its own. */
  readonly issued: IssueCounts
  /** Bounds what verifiers in other processes report of usage. */
  readonly reportedApart: ApartBound
  /** For how many days the counts of usage by the day are kept. */
  readonly usageDays: number
}

/** Where an operation works, and for whom. */
export interface Scope extends EngineParts {
  readonly projectId: string
  /** The project's name. */
  readonly project: string
  /** What its customers' keys begin with unless they choose otherwise. */
  readonly keyPrefix: string
  readonly actor: Actor
}

/** The project that holds the management keys (rule M1). Its id equals its name. */
export const MANAGEMENT_PROJECT = 'claviger'
/** The project of a fresh install. Its id equals its name. */
export const DEFAULT_PROJECT = 'default'
