import { constants } from 'node:sqlite'
import type { Suspension } from '../backup/suspension.ts'
import { CodedError } from '../coded-error.ts'
import { lastMigration, migrate, migrationsUpTo } from '../storage/migrate.ts'
import type { OpenDatabase } from '../storage/open-database.ts'
import type { JournalRecord } from './entry.ts'
import type { Segment } from './segment.ts'
import { isReplayed } from './tables.ts'

/** Up to where a restored database knows what was taken away. */
export interface ReplayStart {
  readonly history: string
  readonly commit: number
  readonly journaled: number
  /** Epoch milliseconds. */
  readonly sinceMs: number
}

export interface ReplayOptions {
  readonly start: ReplayStart
  /** The history of the database itself, where that is a later one: its records are replayed once more, over the others. */
  readonly ownHistory: string | null
  /** The database that is replaced, if it can be read: it knows how far its journal must reach. */
  readonly replaced: Suspension['replaced']
  readonly nowMs: number
}

export interface Replay {
  readonly replayed: number
  /** Null: everything that was taken away is known. Else since when it is not; epoch milliseconds. */
  readonly lostSinceMs: number | null
}

interface Place {
  readonly history: string
  readonly journaled: number
}

/**
 * Writes into a restored database what was taken away since its backup, inside the caller's transaction, where foreign keys
 * are not enforced. Whatever is found is replayed; whether it is all, each record tells, which names the one before it,
 * and the mark at the end of the last file.
 */
export async function replayJournal(
  database: OpenDatabase,
  segments: readonly Segment[],
  { start, ownHistory, replaced, nowMs }: ReplayOptions,
): Promise<Replay> {
  let place: Place | null = null
  let isWhole = true
  let knownUntilMs = start.sinceMs
  let replayed = 0
  for (const { header, records } of segments) {
    const isOwn = header.history === ownHistory
    if (place === null && header.history === start.history) place = start
    if (place === null && !isOwn) continue
    if (place !== null && !isOwn) {
      isWhole &&= follows(header, place)
      if (header.history !== place.history) place = header
    }
    for (const record of records) {
      if (header.history === start.history && record.commit <= start.commit) continue
      if (place !== null && !isOwn) {
        isWhole &&= record.previous === place.journaled
        place = { history: header.history, journaled: record.commit }
        if (isWhole) knownUntilMs = record.atMs
      }
      await replayRecord(database, record, nowMs)
      replayed += 1
    }
  }
  isWhole &&= place !== null && reachesEnd(segments, place, replaced)
  return { replayed, lostSinceMs: isWhole ? null : knownUntilMs }
}

/** Whether a file goes on where the journal stood. */
function follows({ history, journaled, continues }: Segment['header'], place: Place): boolean {
  if (history === place.history) return journaled <= place.journaled
  return continues?.history === place.history && continues.journaled === place.journaled
}

/** Whether the journal's last record is the last that there was. */
function reachesEnd(
  segments: readonly Segment[],
  place: Place,
  replaced: ReplayOptions['replaced'],
): boolean {
  if (replaced?.history === place.history && replaced.journaled >= place.journaled) {
    return replaced.journaled === place.journaled
  }
  // A restored database that has journaled something, of which there is nothing here.
  if (replaced?.continues === place.history && replaced.journaled > 0) return false
  return segments.filter(({ header }) => header.history === place.history).at(-1)?.closed === true
}

const REACTIONS: ReadonlyMap<number, number> = new Map([
  // A row that was created after the backup, and is not there to be changed or deleted.
  [constants.SQLITE_CHANGESET_NOTFOUND, constants.SQLITE_CHANGESET_OMIT],
  // The journal is later than the backup: its row counts.
  [constants.SQLITE_CHANGESET_CONFLICT, constants.SQLITE_CHANGESET_REPLACE],
  [constants.SQLITE_CHANGESET_DATA, constants.SQLITE_CHANGESET_REPLACE],
])

async function replayRecord(database: OpenDatabase, record: JournalRecord, nowMs: number): Promise<void> {
  const { db, sqlite } = database
  if (record.version > (await lastMigration(db))) {
    await migrate(db, nowMs, migrationsUpTo(record.version))
    if (record.version > (await lastMigration(db))) {
      throw new CodedError(
        'unavailable',
        'The journal was written by a newer Claviger. Restore with that one.',
      )
    }
  }
  const applied = sqlite.applyChangeset(record.patchset, {
    filter: isReplayed,
    onConflict: (conflict: number) => REACTIONS.get(conflict) ?? constants.SQLITE_CHANGESET_ABORT,
  })
  if (applied) return
  throw new CodedError(
    'unavailable',
    `Commit ${record.commit} of the journal does not fit the backup. Move the journal away, and accept the loss.`,
  )
}
