import { createAuditKeys } from './audit/audit-keys.ts'
import type { AuditCheckpoint } from './audit/checkpoint.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Problem } from './commands/messages.ts'
import { Writer } from './commands/writer.ts'
import { EdgeGrants } from './edge/edge-grants.ts'
import { Engine } from './engine.ts'
import { LeasedUnits } from './limits/leased-units.ts'
import { LimitCounters } from './limits/limit-counters.ts'
import { CallerFacts } from './management/caller-facts.ts'
import { install } from './projects/install.ts'
import { type Random, systemRandom } from './random.ts'
import type { EngineParts } from './scope.ts'
import { createRefreshTokens } from './sessions/refresh-token.ts'
import { currentPublicUrl, DEFAULT_PUBLIC_URL } from './signing/public-url.ts'
import { lockFolder } from './storage/folder-lock.ts'
import { loadMasterKey } from './storage/master-key.ts'
import { openForReading, parseDatabaseAddress } from './storage/open-database.ts'
import { createSealer } from './storage/seal.ts'
import { ApartBound } from './usage/apart-bound.ts'
import { IssueCounts } from './usage/issue-counts.ts'
import { readUsageDays } from './usage/resolutions.ts'

export interface EngineOptions {
  /** `sqlite:FILE`. Its folder, the data folder, belongs to this process alone. */
  readonly database: string
  /** What issuers are derived from. Default: the one set before, else http://127.0.0.1:2528. */
  readonly publicUrl?: string
  /** 32 bytes, base64url. Default: the file `master-key` in the data folder, made at the first start. */
  readonly masterKey?: string
  /** Starts in spite of a clock more than 60 s behind the last commit; audited (rule B2). */
  readonly acceptClock?: boolean
  /** For how many days usage by the day is kept, 1 to 3,660 (default 400). By the hour 35 at most, by the minute 2. */
  readonly usageDays?: number
  /** Told of problems that no caller is shown. Default: standard error. */
  readonly log?: (problem: Problem) => void
  /**
   * Told of each checkpoint of the audit, once a minute at most where something was done. Kept where nobody who can
   * write the data folder can reach it, it shows what was cut off. Default: it is stored in the database alone.
   */
  readonly onAuditCheckpoint?: (checkpoint: AuditCheckpoint) => void
  /** Tests own time and randomness. */
  readonly clock?: Clock
  readonly random?: Random
}

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
    const auditKeys = createAuditKeys(masterKey)
    const writer = await Writer.start({
      databaseFile: file,
      clock,
      random,
      masterKeyFingerprint: masterKey.fingerprint,
      auditKeys,
      journalKey: masterKey.derive('journal'),
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
      callers: new CallerFacts({ reader: database.db, writer }),
      sealer: createSealer(masterKey, random),
      refreshTokens: createRefreshTokens(masterKey, random),
      auditKeys,
      limits: new LimitCounters(writer),
      leasedUnits: new LeasedUnits(),
      edge: await EdgeGrants.open(database.db, { clock, writer, random }),
      issued: new IssueCounts(clock),
      reportedApart: new ApartBound(),
      usageDays: readUsageDays(options.usageDays),
    }
    const createdRootKey = await install(parts)
    const once = { macKey: masterKey.derive('idempotency'), reader: database.db, clock, random }
    const engine = new Engine(parts, {
      lock,
      writer,
      database,
      file,
      folder,
      createdRootKey,
      log,
      once,
      onAuditCheckpoint: options.onAuditCheckpoint ?? (() => {}),
    })
    const publicUrl = options.publicUrl ?? (await currentPublicUrl(parts.reader)) ?? DEFAULT_PUBLIC_URL
    await engine.setPublicUrl(publicUrl)
    await engine.open()
    return engine
  } catch (error) {
    for (const close of opened) await close()
    throw error
  }
}

function logToStandardError({ message, cause }: Problem): void {
  console.error(`claviger: ${message} ${cause}`)
}
