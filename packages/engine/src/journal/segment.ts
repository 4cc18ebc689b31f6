import type { KeyObject } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CodedError } from '../coded-error.ts'
import { type JournalRecord, readHeader, readRecord, type SegmentHeader } from './entry.ts'
import { readFrames } from './frame.ts'

/** Where a journal stands, and the key that its entries are sealed with. */
export interface JournalPlace {
  /** `journal` beside the database. */
  readonly folder: string
  readonly key: KeyObject
}

/** One file of the journal. */
export interface Segment {
  readonly file: string
  readonly header: SegmentHeader
  readonly records: readonly JournalRecord[]
  /** Where the next record goes. */
  readonly end: number
  /** False: its end was cut off, or a write was cut short. */
  readonly closed: boolean
}

export function journalFolder(databaseFile: string): string {
  return join(dirname(databaseFile), 'journal')
}

const NAME = /^[0-9]{8}\.journal$/

/** The journal's files, the first one first. */
export function listSegments(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort()
    .map((name) => join(folder, name))
}

/** The name of the file that follows. */
export function nextSegment(folder: string): string {
  const last = listSegments(folder).at(-1)
  const number = last === undefined ? 1 : Number.parseInt(last.slice(-'00000000.journal'.length), 10) + 1
  return join(folder, `${String(number).padStart(8, '0')}.journal`)
}

/** Reads one file. Throws `unavailable` for one that is damaged otherwise than by a cut. */
export function readSegment({ key }: JournalPlace, file: string): Segment {
  const frames = readFrames(key, readFileSync(file))
  if ('damagedAt' in frames) throw damaged(file, frames.damagedAt)
  const [first, ...others] = frames.payloads
  // A file comes into being with its header as a whole: one without it was made elsewhere, or is damaged at its start.
  if (first === undefined) throw damaged(file, 0)
  return {
    file,
    header: readHeader(first),
    records: others.map(readRecord),
    end: frames.end,
    closed: frames.closed,
  }
}

function damaged(file: string, at: number): CodedError {
  return new CodedError(
    'unavailable',
    `The journal ${file} is damaged at byte ${at}, or was written under another master key. Bring the file back from a copy. Or move the folder of the journal away: older backups are then restored without it, by accepting the loss.`,
  )
}
