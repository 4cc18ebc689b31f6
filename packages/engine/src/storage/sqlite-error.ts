import { CodedError } from '../coded-error.ts'

/** The error of `node:sqlite`. `errcode` is SQLite's extended result code; its lowest byte is the primary one. */
interface SqliteError extends Error {
  readonly errcode: number
}

// https://www.sqlite.org/rescode.html
const SQLITE_FULL = 13
/**
 * The database cannot be reached now: busy, locked, out of memory, read-only, an input or output error, malformed, cannot
 * open, no database. A page that cannot be read can look malformed; one that is makes no other answer honest.
 */
const OUT_OF_REACH: ReadonlySet<number> = new Set([5, 6, 7, 8, 10, 11, 14, 26])

/** Whether SQLite failed with this primary result code. */
export function isSqliteError(error: unknown, primaryCode: number): boolean {
  return primaryCodeOf(error) === primaryCode
}

/** What a caller is told of an error: its cause is for the log. */
export function toCodedError(error: unknown): CodedError {
  if (error instanceof CodedError) return error
  const code = primaryCodeOf(error)
  if (code === SQLITE_FULL) {
    return new CodedError(
      'storage_full',
      'The disk or the database is full. Nothing was changed. Free some space.',
    )
  }
  if (code !== undefined && OUT_OF_REACH.has(code)) {
    return new CodedError('unavailable', 'The database cannot be reached now. Try again.', { cause: error })
  }
  return new CodedError('internal', 'Claviger failed. Its log says why.')
}

function primaryCodeOf(error: unknown): number | undefined {
  return isFromSqlite(error) ? error.errcode & 0xff : undefined
}

function isFromSqlite(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}
