import { constants } from 'node:sqlite'
import { CodedError } from '../coded-error.ts'
import type { Problem } from '../commands/messages.ts'
import type { OpenDatabase } from '../storage/open-database.ts'
import { Journal } from './journal.ts'
import { type DatabaseLine, readLine } from './line.ts'
import { type JournalPlace, listSegments, readSegment, type Segment } from './segment.ts'
import { isDerived } from './tables.ts'

/**
 * Repeats the one commit that a crash may have left in the journal alone, inside the caller's transaction and before any
 * migration. What is repeated is all that the commit wrote, on the very state that it was made on.
 *
 * Throws `unavailable` when the journal is ahead by more: then an older database was put into this one's place, and what
 * was taken away since must not come back (rule B1).
 */
export async function repeatInterrupted(database: OpenDatabase, place: JournalPlace): Promise<void> {
  const line = await readLine(database.db)
  const last = lastSegment(place)
  if (last === undefined) return
  // A database from before the journal, or a new one, beside a journal that it never had.
  if (line === undefined) throw notItsJournal(place)
  requireSameLine(place, line, last)
  if (last.header.history !== line.history) return
  const record = last.records.at(-1)
  const journaled = record?.commit ?? last.header.journaled
  if (journaled <= line.commit) return
  const isNext = journaled === line.commit + 1 && record?.previous === line.journaled
  if (!isNext || record === undefined) throw putBackByHand(place)
  const applied = database.sqlite.applyChangeset(record.patchset, {
    filter: (table: string) => !isDerived(table),
    onConflict: () => constants.SQLITE_CHANGESET_ABORT,
  })
  const repeated = await readLine(database.db)
  if (!applied || repeated?.commit !== journaled || repeated.journaled !== journaled)
    throw putBackByHand(place)
}

/** Opens the journal of a database that was opened and committed, and begins a file of it where none can go on. */
export async function openJournal(
  database: OpenDatabase,
  place: JournalPlace,
  { nowMs, logProblem }: { readonly nowMs: number; readonly logProblem: (problem: Problem) => void },
): Promise<Journal> {
  const line = await readLine(database.db)
  if (line === undefined) throw new TypeError('the database was not opened as an installation')
  const { installationId, history, journaled } = line
  const last = lastSegment(place)
  const began = { installationId, history, journaled }
  if (last === undefined) {
    if (journaled > 0) logProblem({ message: LOST, cause: `${place.folder} is empty.` })
    return Journal.begin(place, { ...began, continues: null }, nowMs)
  }
  const written = last.records.at(-1)?.commit ?? last.header.journaled
  if (last.header.history !== history) {
    const continues = { history: last.header.history, journaled: written }
    return Journal.begin(place, { ...began, continues }, nowMs)
  }
  if (written === journaled) return Journal.resume(place, last)
  logProblem({
    message: LOST,
    cause: `${last.file} ends with commit ${written}, and the last one was ${journaled}.`,
  })
  return Journal.begin(place, { ...began, continues: null }, nowMs)
}

const LOST =
  'The journal was lost or cut. Nothing is lost in the database; a backup from before now can be restored by accepting the loss alone. Take a new one.'

function lastSegment(place: JournalPlace): Segment | undefined {
  const file = listSegments(place.folder).at(-1)
  return file === undefined ? undefined : readSegment(place, file)
}

function requireSameLine(place: JournalPlace, line: DatabaseLine, { header }: Segment): void {
  if (header.installationId !== line.installationId) throw notItsJournal(place)
  if (header.history !== line.history && header.history !== line.continues) throw putBackByHand(place)
}

function putBackByHand(place: JournalPlace): CodedError {
  return new CodedError(
    'unavailable',
    `The database is older than its journal in ${place.folder}: it was put back by hand, and what was revoked since would come back. Run: claviger restore --data ${dataFolder(place)}`,
  )
}

function notItsJournal(place: JournalPlace): CodedError {
  return new CodedError(
    'unavailable',
    `The journal in ${place.folder} is of another installation or a later version than the database. Move the journal away if the database is the right one. If the database was put back by hand, run: claviger restore --data ${dataFolder(place)}`,
  )
}

function dataFolder({ folder }: JournalPlace): string {
  return folder.replace(/[\\/]journal$/, '')
}
