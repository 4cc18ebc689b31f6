import { existsSync, linkSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CodedError } from '../coded-error.ts'
import { syncFolder } from '../storage/private-file.ts'

/**
 * Puts a finished database into the place of another, by one rename: whenever the process dies, there is the one or the
 * other, whole. The former stays beside it as `….before-restore`, until the next restore.
 */
export function replaceDatabase(databaseFile: string, finished: string): void {
  if (existsSync(databaseFile)) {
    const aside = `${databaseFile}.before-restore`
    for (const suffix of ['', '-wal']) rmSync(`${aside}${suffix}`, { force: true })
    foldLog(databaseFile, aside)
    linkSync(databaseFile, aside)
  }
  renameSync(finished, databaseFile)
  syncFolder(dirname(databaseFile))
}

/**
 * Leaves no log behind: SQLite would write the former database's into the new one. The log of a database that cannot be
 * opened any more is set aside with it.
 */
function foldLog(databaseFile: string, aside: string): void {
  if (checkpoint(databaseFile) === 'busy') {
    throw new CodedError('unavailable', `Another program reads ${databaseFile}. Let it end, and try again.`)
  }
  const log = `${databaseFile}-wal`
  if (existsSync(log) && statSync(log).size > 0) renameSync(log, `${aside}-wal`)
  for (const suffix of ['-wal', '-shm']) rmSync(`${databaseFile}${suffix}`, { force: true })
  syncFolder(dirname(databaseFile))
}

function checkpoint(databaseFile: string): 'done' | 'busy' | 'damaged' {
  try {
    const database = new DatabaseSync(databaseFile)
    try {
      return database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy === 1 ? 'busy' : 'done'
    } finally {
      database.close()
    }
  } catch {
    // That is why somebody restores.
    return 'damaged'
  }
}
