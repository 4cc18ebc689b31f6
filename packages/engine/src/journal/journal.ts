import { closeSync, fdatasyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { CodedError } from '../coded-error.ts'
import { makePrivateFolder, writePrivateFile } from '../storage/private-file.ts'
import { type JournalRecord, type SegmentHeader, writeHeader, writeRecord } from './entry.ts'
import { END, writeFrame } from './frame.ts'
import { type JournalPlace, listSegments, nextSegment, readSegment, type Segment } from './segment.ts'

/** What a new file of the journal says of itself, apart from its time. */
export type JournalLine = Omit<SegmentHeader, 'format' | 'atMs'>

/** The journal can neither be written nor put back to where it was: whoever goes on would leave it telling lies. */
export class JournalBroken extends Error {}

/** A file holds about this much, and is then followed by another. */
const SEGMENT_BYTES = 16 * 1024 * 1024
/** How long what was taken away is kept: an older backup is restored by accepting the loss. */
export const JOURNAL_DAYS = 400
const DAY_MS = 86_400_000

/**
 * What was taken away, in files outside the database, so that a restored backup learns of it (rule B1). It belongs to the
 * writer thread, which gives it a batch's record before the batch is committed.
 */
export class Journal {
  readonly #place: JournalPlace
  #line: JournalLine
  #descriptor: number
  /** Where the next record goes: over the mark of the end. */
  #end: number
  /** A record whose commit has not been confirmed, and where it begins. */
  #unsettled: { readonly commit: number; readonly from: number } | null = null

  private constructor(place: JournalPlace, line: JournalLine, file: { descriptor: number; end: number }) {
    this.#place = place
    this.#line = line
    this.#descriptor = file.descriptor
    this.#end = file.end
  }

  /** Begins another file: at the first start, after a restore, and after what a start found to be cut. */
  static begin(place: JournalPlace, line: JournalLine, nowMs: number): Journal {
    return new Journal(place, line, beginSegment(place, line, nowMs))
  }

  /** Goes on with a file that ends where its database ends. What a crash has left of a write is cut off. */
  static resume(place: JournalPlace, { file, header, records, end, closed }: Segment): Journal {
    const { installationId, history, continues } = header
    const journaled = records.at(-1)?.commit ?? header.journaled
    const descriptor = openSync(file, 'r+')
    if (!closed) close(descriptor, end)
    return new Journal(place, { installationId, history, journaled, continues }, { descriptor, end })
  }

  /** Whether it is open that the last record's commit took place. */
  get isUnsettled(): boolean {
    return this.#unsettled !== null
  }

  /**
   * Writes a record and waits for the disk. Throws `storage_full` or `unavailable` with the journal as it was before, and
   * {@link JournalBroken} when not even that can be had.
   */
  append(record: JournalRecord): void {
    if (this.#end >= SEGMENT_BYTES) this.#rotate(record.atMs)
    const from = this.#end
    const frame = writeFrame(this.#place.key, writeRecord(record))
    try {
      writeAll(this.#descriptor, Buffer.concat([frame, END]), from)
      fdatasyncSync(this.#descriptor)
    } catch (error) {
      this.#cutOff(from)
      throw cannotWrite(error)
    }
    this.#end = from + frame.length
    this.#unsettled = { commit: record.commit, from }
  }

  /**
   * Says which commit the database has last. A record that is ahead of it is taken back: its commit failed, and its callers
   * are told so. Throws {@link JournalBroken} when it cannot be.
   */
  settle(lastCommit: number): void {
    const unsettled = this.#unsettled
    if (unsettled === null) return
    if (lastCommit < unsettled.commit) this.#cutOff(unsettled.from)
    else this.#line = { ...this.#line, journaled: unsettled.commit }
    this.#unsettled = null
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #rotate(nowMs: number): void {
    const line = { ...this.#line, continues: null }
    let file: { descriptor: number; end: number }
    try {
      file = beginSegment(this.#place, line, nowMs)
    } catch (error) {
      throw cannotWrite(error)
    }
    closeSync(this.#descriptor)
    this.#descriptor = file.descriptor
    this.#end = file.end
    this.#line = line
    prune(this.#place, nowMs)
  }

  #cutOff(from: number): void {
    try {
      close(this.#descriptor, from)
    } catch (error) {
      throw new JournalBroken('The journal can neither be written nor be put back.', { cause: error })
    }
    this.#end = from
  }
}

/** Ends the file here, durably. */
function close(descriptor: number, end: number): void {
  writeAll(descriptor, END, end)
  ftruncateSync(descriptor, end + END.length)
  fdatasyncSync(descriptor)
}

function beginSegment(
  place: JournalPlace,
  line: JournalLine,
  nowMs: number,
): { descriptor: number; end: number } {
  makePrivateFolder(place.folder)
  const file = nextSegment(place.folder)
  const header = writeFrame(place.key, writeHeader({ format: 1, ...line, atMs: nowMs }))
  writePrivateFile(file, Buffer.concat([header, END]))
  return { descriptor: openSync(file, 'r+'), end: header.length }
}

/** Drops the files whose successor was begun {@link JOURNAL_DAYS} ago. */
function prune(place: JournalPlace, nowMs: number): void {
  const [first, ...successors] = listSegments(place.folder)
  let oldest = first
  for (const successor of successors) {
    if (oldest === undefined || !isOlder(place, successor, nowMs - JOURNAL_DAYS * DAY_MS)) return
    rmSync(oldest)
    oldest = successor
  }
}

/** One that is damaged stays, and what is older: a restore will say so. */
function isOlder(place: JournalPlace, file: string, thanMs: number): boolean {
  try {
    return readSegment(place, file).header.atMs < thanMs
  } catch {
    return false
  }
}

function writeAll(descriptor: number, bytes: Buffer, position: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written)
  }
}

function cannotWrite(error: unknown): CodedError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  const coded = isFull
    ? new CodedError('storage_full', 'The disk of the journal is full. Nothing was changed. Free some space.')
    : new CodedError('unavailable', 'The journal cannot be written now, so nothing was changed. Try again.')
  coded.cause = error
  return coded
}
