import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Change, Fact } from '@claviger/verify'
import { createAuditKeys } from '../src/audit/audit-keys.ts'
import { type ManualClock, manualClock } from '../src/clock.ts'
import { CodedError, type ErrorCode } from '../src/coded-error.ts'
import type { Actor } from '../src/commands/command.ts'
import { Writer } from '../src/commands/writer.ts'
import { EdgeGrants } from '../src/edge/edge-grants.ts'
import { LeasedUnits } from '../src/limits/leased-units.ts'
import { LimitCounters } from '../src/limits/limit-counters.ts'
import { CallerFacts } from '../src/management/caller-facts.ts'
import { install } from '../src/projects/install.ts'
import { resolveProject } from '../src/projects/resolve-project.ts'
import { systemRandom } from '../src/random.ts'
import type { EngineParts, Scope } from '../src/scope.ts'
import type { Secret } from '../src/secret.ts'
import { createRefreshTokens } from '../src/sessions/refresh-token.ts'
import { loadMasterKey } from '../src/storage/master-key.ts'
import { openForReading } from '../src/storage/open-database.ts'
import { createSealer } from '../src/storage/seal.ts'
import { ApartBound } from '../src/usage/apart-bound.ts'
import { IssueCounts } from '../src/usage/issue-counts.ts'
import { DEFAULT_USAGE_DAYS } from '../src/usage/resolutions.ts'

/** A fresh installation in a folder of its own: real SQLite, the real writer thread, a clock that stands still. */
export interface TestInstallation extends EngineParts {
  readonly clock: ManualClock
  readonly writer: Writer
  readonly rootKey: Secret
  /** Every change that was made, in commit order. */
  readonly changes: readonly { readonly projectId: string; readonly change: Change }[]
  /** The facts of every change in a project since the last call. */
  takeFacts(projectId: string): readonly Fact[]
  /** A place to work; the embedding program works there unless another actor is named. */
  scope(project?: string, actor?: Actor): Promise<Scope>
  /** Everything that the database's files hold, for looking for what must not be there. */
  readonly folder: string
  close(): Promise<void>
}

export const START_MS = Date.parse('2027-01-01T00:00:00Z')

export const EMBEDDER: Actor = { kind: 'embedder' }

export function managementKey(keyId: string): Actor {
  return { kind: 'management-key', keyId }
}

export async function openTestInstallation(): Promise<TestInstallation> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-test-'))
  const databaseFile = join(folder, 'claviger.db')
  const clock = manualClock(START_MS)
  const random = systemRandom()
  const masterKey = loadMasterKey({ folder, databaseFile, text: undefined, random })
  const auditKeys = createAuditKeys(masterKey)
  const problems: string[] = []
  const writer = await Writer.start({
    databaseFile,
    clock,
    random,
    masterKeyFingerprint: masterKey.fingerprint,
    auditKeys,
    journalKey: masterKey.derive('journal'),
    logProblem: (problem) => problems.push(`${problem.message} ${problem.cause}`),
  })
  const database = openForReading(databaseFile)
  const changes: { projectId: string; change: Change }[] = []
  writer.onChanges((projectId, change) => changes.push({ projectId, change }))
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
    usageDays: DEFAULT_USAGE_DAYS,
  }
  const rootKey = await install(parts)
  if (rootKey === null) throw new Error('the folder held an installation already')

  const taken = new Map<string, number>()
  return {
    ...parts,
    clock,
    writer,
    rootKey,
    changes,
    folder,
    takeFacts(projectId) {
      const facts = changes.flatMap((entry) => (entry.projectId === projectId ? entry.change.facts : []))
      const fresh = facts.slice(taken.get(projectId) ?? 0)
      taken.set(projectId, facts.length)
      return fresh
    },
    async scope(project = 'default', actor = EMBEDDER) {
      const { id, keyPrefix } = await resolveProject(parts.reader, project)
      return { ...parts, actor, project, projectId: id, keyPrefix }
    },
    async close() {
      await writer.close()
      database.sqlite.close()
      rmSync(folder, { recursive: true })
      if (problems.length > 0) throw new Error(`errors that nobody expected: ${problems.join('\n')}`)
    },
  }
}

/** The code of the `CodedError` that the call fails with; any other outcome fails the test. */
export async function codeOf(call: Promise<unknown>): Promise<ErrorCode> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof CodedError) return error.code
  throw new Error('the call was expected to fail with a coded error', { cause: error })
}
