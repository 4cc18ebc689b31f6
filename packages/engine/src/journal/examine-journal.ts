import { CodedError } from '../coded-error.ts'
import { openMasterKey } from '../storage/master-key.ts'
import { openForReading, parseDatabaseAddress } from '../storage/open-database.ts'
import { type DatabaseLine, readLine } from './line.ts'
import { type JournalPlace, journalFolder, listSegments, readSegment } from './segment.ts'

/** What can be said of a journal without opening it for work. */
export interface JournalFacts {
  readonly folder: string
  /**
   * - `fits`: it ends where the database does;
   * - `missing`: there is none;
   * - `cut`: it ends before the database does;
   * - `ahead`: the database is older, and was put back by hand;
   * - `foreign`: it is of another installation;
   * - `damaged`: `damage` says where.
   */
  readonly state: 'fits' | 'missing' | 'cut' | 'ahead' | 'foreign' | 'damaged'
  readonly damage: string | null
  /** Of its last entry, epoch milliseconds; null: there is none, or it is not known. */
  readonly lastEntryAtMs: number | null
}

/** A server that runs writes the journal and then the database, and may do so while both are read. */
const ATTEMPTS = 3

/**
 * Holds the last file of the journal against its database, also while a server writes both. Undefined for a database of a
 * version from before the journal. Throws `unavailable` without the master key. Never call it in the process that has the
 * folder open: closing the database's file there would drop the server's locks (POSIX).
 */
export async function examineJournal(options: {
  /** `sqlite:FILE`; the file exists. */
  readonly database: string
  /** `CLAVIGER_MASTER_KEY`, when it is set. */
  readonly masterKey: string | undefined
}): Promise<JournalFacts | undefined> {
  const { file, folder } = parseDatabaseAddress(options.database)
  const key = openMasterKey({ folder, text: options.masterKey }).derive('journal')
  const place = { folder: journalFolder(file), key }
  const { db, sqlite } = openForReading(file)
  try {
    for (let attempt = 1; ; attempt++) {
      const before = await readLine(db)
      if (before === undefined) return undefined
      const journal = readEnd(place)
      const after = (await readLine(db)) ?? before
      const facts = compare(place, { before, journal, after })
      if (facts.state === 'fits' || attempt === ATTEMPTS) return facts
    }
  } finally {
    sqlite.close()
  }
}

interface JournalEnd {
  readonly installationId: string
  readonly history: string
  readonly commit: number
  readonly lastEntryAtMs: number | null
}

/** Null: there is no journal. A text: what is wrong with it. */
function readEnd(place: JournalPlace): JournalEnd | string | null {
  const file = listSegments(place.folder).at(-1)
  if (file === undefined) return null
  try {
    const { header, records } = readSegment(place, file)
    const last = records.at(-1)
    return {
      installationId: header.installationId,
      history: header.history,
      commit: last?.commit ?? header.journaled,
      lastEntryAtMs: last?.atMs ?? null,
    }
  } catch (error) {
    if (error instanceof CodedError) return error.message
    throw error
  }
}

function compare(
  { folder }: JournalPlace,
  read: {
    readonly before: DatabaseLine
    readonly journal: JournalEnd | string | null
    readonly after: DatabaseLine
  },
): JournalFacts {
  const { before, journal, after } = read
  const facts = { folder, damage: null, lastEntryAtMs: null }
  if (journal === null) return { ...facts, state: 'missing' }
  if (typeof journal === 'string') return { ...facts, state: 'damaged', damage: journal }
  const { installationId, history, commit, lastEntryAtMs } = journal
  if (installationId !== after.installationId) return { ...facts, state: 'foreign' }
  // A restore begins a history, and the next start a file of the journal for it.
  if (history !== after.history) return { ...facts, state: history === after.continues ? 'fits' : 'ahead' }
  if (commit < before.journaled) return { ...facts, state: 'cut', lastEntryAtMs }
  // The journal has an entry before the database has its commit.
  return { ...facts, state: commit > after.commit + 1 ? 'ahead' : 'fits', lastEntryAtMs }
}
