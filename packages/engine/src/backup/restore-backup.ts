import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import type { SigningAlgorithm } from '@claviger/verify'
import { AuditChain } from '../audit/audit-chain.ts'
import { createAuditKeys } from '../audit/audit-keys.ts'
import { migrateAudited } from '../audit/migrate-audited.ts'
import { nextEpoch } from '../changes/epochs.ts'
import type { Clock } from '../clock.ts'
import { CodedError } from '../coded-error.ts'
import { runCommand } from '../commands/run-command.ts'
import { type DatabaseLine, readLine } from '../journal/line.ts'
import { type ReplayStart, replayJournal } from '../journal/replay-journal.ts'
import { journalFolder, listSegments, readSegment, type Segment } from '../journal/segment.ts'
import { makeRootKey } from '../management/root-key.ts'
import { newId, type Random } from '../random.ts'
import type { Secret } from '../secret.ts'
import { makeSigningKey, type NewSigningKey } from '../signing/make-signing-key.ts'
import { lockFolder } from '../storage/folder-lock.ts'
import { type MasterKey, openMasterKey } from '../storage/master-key.ts'
import {
  type OpenDatabase,
  openForReading,
  openForWriting,
  parseDatabaseAddress,
} from '../storage/open-database.ts'
import {
  newHistory,
  newInstallationNames,
  openInstallation,
  requireMasterKey,
} from '../storage/open-installation.ts'
import { createSealer } from '../storage/seal.ts'
import { formatTime } from '../time.ts'
import { beginEpochCommand, type EpochArgs } from './begin-epoch.ts'
import { copyBackup } from './copy-backup.ts'
import { removeOrphans } from './remove-orphans.ts'
import { replaceDatabase } from './replace-database.ts'
import { snapshotDatabase, syncFile } from './snapshot-database.ts'
import { readSuspension, type Suspension } from './suspension.ts'

export interface RestoreOptions {
  /** `sqlite:FILE`: what is replaced. No server may have its folder open. */
  readonly database: string
  /** The backup. Absent: the database that stands there, which somebody put back by hand, or which is suspended. */
  readonly backup?: string
  /** The folder of another journal to replay. Default: the one beside the database. */
  readonly journal?: string
  /** The time since which it is not known what was taken away, as a restore has named it: the loss is accepted. */
  readonly acceptLossSince?: string
  /** 32 bytes, base64url. Default: the file `master-key` in the data folder. */
  readonly masterKey?: string
  /** Restores in spite of a clock far behind the backup's last commit; audited (rule B2). */
  readonly acceptClock?: boolean
  readonly clock: Clock
  readonly random: Random
}

export interface RestoreReport {
  /** The last commit of what was restored, RFC 3339. */
  readonly restoredFrom: string
  /** How many commits of the journal were replayed. */
  readonly replayed: number
  /** Since when it is not known what was taken away, RFC 3339; null: all of it is known. */
  readonly lostSince: string | null
  /** True: keys from before are disabled until a journal turns up or the loss is accepted. */
  readonly suspended: boolean
  /** The new root key, where the former ones may have been taken away. */
  readonly rootKey: Secret | null
}

/**
 * Puts a backup into the place of the database (rule B1): a new epoch and a new keyring begin, every session and token
 * ends, and what was taken away since is replayed from the journal. Where the journal does not tell all of it, the keys
 * stay suspended. It takes place as a whole or not at all.
 *
 * Throws `CodedError`: `unavailable` for a backup that is damaged or of another installation, `invalid_request` for a
 * loss that is accepted by another time than the one it began at.
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreReport> {
  const { file: databaseFile, folder } = parseDatabaseAddress(options.database)
  const lock = lockFolder(folder)
  const draft = `${databaseFile}.restoring`
  try {
    removeDraft(draft)
    const masterKey = openMasterKey({ folder, text: options.masterKey })
    const journal = readJournals(databaseFile, masterKey, options.journal)
    const replaced = options.backup === undefined ? null : await readReplaced(databaseFile)
    if (options.backup === undefined) snapshotDatabase(databaseFile, draft)
    else copyBackup(resolve(options.backup), draft, masterKey)
    const auditChain = new AuditChain(createAuditKeys(masterKey))
    const report = await prepare({ options, draft, masterKey, auditChain, journal, replaced })
    syncFile(draft)
    replaceDatabase(databaseFile, draft)
    return report
  } finally {
    removeDraft(draft)
    lock.release()
  }
}

interface Preparation {
  readonly options: RestoreOptions
  readonly draft: string
  readonly masterKey: MasterKey
  readonly auditChain: AuditChain
  readonly journal: Journals
  /** The database that is replaced, as far as it can be read. */
  readonly replaced: DatabaseLine | null
}

/** Makes of the copy what is to be served: all of it in one transaction. */
async function prepare(preparation: Preparation): Promise<RestoreReport> {
  const database = openForWriting(preparation.draft)
  try {
    // A row that is replayed may belong to one that the backup does not have.
    database.sqlite.exec('PRAGMA foreign_keys = OFF')
    database.sqlite.exec('BEGIN IMMEDIATE')
    const report = await prepareRows(database, preparation)
    database.sqlite.exec('COMMIT')
    return report
  } finally {
    database.sqlite.close()
  }
}

async function prepareRows(database: OpenDatabase, preparation: Preparation): Promise<RestoreReport> {
  const { options, masterKey, auditChain, journal } = preparation
  const { db, sqlite } = database
  const nowMs = options.clock.nowMs()
  const line = await openLine(database, preparation)
  const suspension = readSuspension(line.suspended)
  const replaced = suspension?.replaced ?? preparation.replaced
  const start: ReplayStart = suspension ?? { ...line, sinceMs: line.lastCommitAtMs }
  const live = await liveSigningKeys(database)
  const ownHistory = suspension === null ? null : line.history
  const segments = chooseSegments(journal, ownHistory)
  const { replayed, lostSinceMs } = await replayJournal(database, segments, {
    start,
    ownHistory,
    replaced,
    nowMs,
  })
  const suspended = lostSinceMs !== null && !isAccepted(options.acceptLossSince, lostSinceMs)
  await migrateAudited(db, auditChain, { atMs: nowMs, commandId: newId('cmd', nowMs, options.random) })
  removeOrphans(sqlite)

  // What was restored before, and suspended, goes on as it is.
  const resumes = suspension !== null && options.backup === undefined
  const root = resumes || lostSinceMs === null ? null : makeRootKey(options)
  await runAt(
    database,
    Math.max(nowMs, options.acceptClock === true ? 0 : line.lastCommitAtMs),
    preparation,
    {
      epochs: resumes ? {} : await nextEpochs(database, options.random),
      signingKeys: resumes ? [] : await makeKeyring(live, masterKey, options.random),
      keptSigningKeys: resumes ? live.map(({ id }) => id) : [],
      root: root?.root ?? null,
      audit: { restoredFromMs: line.lastCommitAtMs, replayed, lostSinceMs, suspended },
    },
  )
  const left = suspended ? suspensionOf(start, replaced, lostSinceMs) : null
  await db
    .updateTable('installation')
    .set({ suspended: left === null ? null : JSON.stringify(left) })
    .execute()
  if (!resumes) await beginHistory(database, preparation)
  return {
    restoredFrom: formatTime(line.lastCommitAtMs),
    replayed,
    lostSince: lostSinceMs === null ? null : formatTime(lostSinceMs),
    suspended,
    rootKey: root?.text ?? null,
  }
}

/** Where the copy stands. One of a version from before the journal is brought to this one first. */
async function openLine(
  { db }: OpenDatabase,
  { options, masterKey, auditChain, journal }: Preparation,
): Promise<DatabaseLine> {
  const { clock, random, acceptClock } = options
  const nowMs = clock.nowMs()
  await requireMasterKey(db, masterKey.fingerprint)
  const known = await readLine(db)
  const commandId = newId('cmd', nowMs, random)
  if (known === undefined) await migrateAudited(db, auditChain, { atMs: nowMs, commandId })
  const fresh = newInstallationNames(random)
  await openInstallation(db, {
    nowMs,
    auditChain,
    masterKeyFingerprint: masterKey.fingerprint,
    clockBehind: acceptClock === true ? 'accept' : 'refuse',
    commandId,
    names: { ...fresh, installationId: journal.own.at(-1)?.header.installationId ?? fresh.installationId },
  })
  const line = known ?? (await readLine(db))
  if (line === undefined) throw new TypeError('the copy was not opened as an installation')
  const foreign = [...journal.own, ...journal.given].find(
    ({ header }) => header.installationId !== line.installationId,
  )
  if (foreign === undefined) return line
  throw new CodedError('unavailable', `${foreign.file} is the journal of another installation. Move it away.`)
}

interface Journals {
  /** Beside the database. */
  readonly own: readonly Segment[]
  /** Brought from elsewhere. */
  readonly given: readonly Segment[]
}

function readJournals(databaseFile: string, masterKey: MasterKey, given: string | undefined): Journals {
  const key = masterKey.derive('journal')
  const read = (folder: string): Segment[] =>
    listSegments(folder).map((file) => readSegment({ folder, key }, file))
  if (given === undefined) return { own: read(journalFolder(databaseFile)), given: [] }
  const found = read(resolve(given))
  if (found.length > 0) return { own: read(journalFolder(databaseFile)), given: found }
  throw new CodedError('not_found', `There is no journal in ${given}.`)
}

/** A journal that was brought goes before the database's own, which tells what was taken away later. */
function chooseSegments({ own, given }: Journals, ownHistory: string | null): readonly Segment[] {
  return given.length === 0 ? own : [...given, ...own.filter(({ header }) => header.history === ownHistory)]
}

/** Null: there is none, or it cannot be read. */
async function readReplaced(databaseFile: string): Promise<DatabaseLine | null> {
  if (!existsSync(databaseFile)) return null
  try {
    const { db, sqlite } = openForReading(databaseFile)
    try {
      return (await readLine(db)) ?? null
    } finally {
      sqlite.close()
    }
  } catch {
    return null
  }
}

function isAccepted(since: string | undefined, lostSinceMs: number): boolean {
  if (since === undefined) return false
  if (Date.parse(since) === lostSinceMs) return true
  throw new CodedError(
    'invalid_request',
    `It is not known what was taken away since ${formatTime(lostSinceMs)}. To accept that, name this very time.`,
  )
}

async function liveSigningKeys({ db }: OpenDatabase) {
  return db
    .selectFrom('signing_keys')
    .select(['id', 'project_id', 'algorithm', 'status'])
    .where('status', '!=', 'retired')
    .execute()
}

/** A new key for each ring that has one which signs. */
async function makeKeyring(
  live: Awaited<ReturnType<typeof liveSigningKeys>>,
  masterKey: MasterKey,
  random: Random,
): Promise<NewSigningKey[]> {
  const sealer = createSealer(masterKey, random)
  const active = live.filter(({ status }) => status === 'active')
  return Promise.all(
    active.map(({ project_id, algorithm }) =>
      makeSigningKey({ sealer }, project_id, algorithm as SigningAlgorithm),
    ),
  )
}

/** Later than every epoch that the database and what was replayed name: rules of both kill what came before. */
async function nextEpochs({ db }: OpenDatabase, random: Random): Promise<Record<string, string>> {
  const ordinal = (epoch: string): number => Number.parseInt(epoch, 10)
  const named = await db.selectFrom('revocations').select(['project_id', 'epoch']).distinct().execute()
  const next: Record<string, string> = {}
  for (const { id, epoch } of await db.selectFrom('projects').select(['id', 'epoch']).execute()) {
    const known = [epoch, ...named.filter((rule) => rule.project_id === id).map((rule) => rule.epoch)]
    const last = known.reduce((later, other) => (ordinal(other) > ordinal(later) ? other : later))
    next[id] = nextEpoch(last, random)
  }
  return next
}

async function runAt(
  { db }: OpenDatabase,
  nowMs: number,
  { options: { random }, auditChain }: Preparation,
  args: EpochArgs,
): Promise<void> {
  const id = newId('cmd', nowMs, random)
  const command = { id, name: 'begin-epoch', args, actor: { kind: 'installation' } } as const
  await runCommand(db, { 'begin-epoch': beginEpochCommand }, { command, nowMs, auditChain })
  await db.updateTable('installation').set({ last_commit_at_ms: nowMs }).execute()
}

/** Its commits are counted anew, and are not those that came after the backup: the journal tells them apart. */
async function beginHistory({ db }: OpenDatabase, { options, journal }: Preparation): Promise<void> {
  await db
    .updateTable('installation')
    .set({
      history: newHistory(options.random),
      continues: journal.own.at(-1)?.header.history ?? '',
      commit_number: 0,
      journaled: 0,
    })
    .execute()
}

function suspensionOf(
  { history, commit, journaled }: ReplayStart,
  replaced: Suspension['replaced'],
  sinceMs: number,
): Suspension {
  const known =
    replaced === null
      ? null
      : { history: replaced.history, continues: replaced.continues, journaled: replaced.journaled }
  return { history, commit, journaled, sinceMs, replaced: known }
}

function removeDraft(draft: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${draft}${suffix}`, { force: true })
}
