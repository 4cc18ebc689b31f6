import { createSecretKey } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { JOURNAL_DAYS, Journal } from './journal.ts'
import { type JournalPlace, listSegments, readSegment } from './segment.ts'

const DAY_MS = 86_400_000
const LINE = { installationId: 'one', history: 'first', journaled: 0, continues: null }

function makePlace(): JournalPlace {
  return { folder: join(temporaryFolder(), 'journal'), key: createSecretKey(Buffer.alloc(32, 1)) }
}

function begin(place: JournalPlace): Journal {
  const journal = Journal.begin(place, LINE, 0)
  onTestFinished(() => journal.close())
  return journal
}

function append(journal: Journal, commit: number, { atMs = commit, bytes = 40 } = {}): void {
  const patchset = Buffer.alloc(bytes, commit)
  journal.append({ commit, previous: commit - 1, atMs, version: 9, patchset })
}

/** A journal with the commits 1 to 3, and its one file. */
function writeThree(place: JournalPlace): string {
  const journal = begin(place)
  for (const commit of [1, 2, 3]) {
    append(journal, commit)
    journal.settle(commit)
  }
  return join(place.folder, '00000001.journal')
}

function commitsOf(place: JournalPlace, file: string): number[] {
  return readSegment(place, file).records.map(({ commit }) => commit)
}

test('what was written is read again, and the end is known to be the end', () => {
  const place = makePlace()
  const file = writeThree(place)
  const segment = readSegment(place, file)
  expect(segment).toMatchObject({ header: LINE, closed: true })
  expect(segment.records.map(({ commit, previous }) => [previous, commit])).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
  ])
  expect(segment.records[1]?.patchset).toEqual(Buffer.alloc(40, 2))
})

test('B1: the journal cut at every byte reopens with the records before the cut, and shows that it was cut', () => {
  const place = makePlace()
  const file = writeThree(place)
  const whole = readFileSync(file)
  const headerEnd = readSegment(place, file).end - 3 * frameBytes(whole)
  const lengths = new Set<number>()
  for (let cut = headerEnd; cut < whole.length; cut++) {
    writeFileSync(file, whole.subarray(0, cut))
    const segment = readSegment(place, file)
    expect(segment.closed).toBe(false)
    lengths.add(segment.records.length)
    const journal = Journal.resume(place, segment)
    const next = segment.records.length + 1
    append(journal, next)
    journal.settle(next)
    journal.close()
    expect(commitsOf(place, file)).toEqual(Array.from({ length: next }, (_, index) => index + 1))
    expect(readSegment(place, file).closed).toBe(true)
  }
  expect([...lengths]).toEqual([0, 1, 2, 3])
})

/** All three records are of one length: from the first mark behind the header to the next. */
function frameBytes(whole: Buffer): number {
  const first = whole.indexOf('CJ1\n', 4)
  return whole.indexOf('CJ1\n', first + 1) - first
}

test('B1: a byte changed in the middle is damage and no cut, and the error says what to do', () => {
  const place = makePlace()
  const file = writeThree(place)
  const whole = readFileSync(file)
  const last = whole.lastIndexOf('CJ1\n', whole.length - 9)
  for (let at = 0; at < last; at += 7) {
    const damaged = Buffer.from(whole)
    damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
    writeFileSync(file, damaged)
    expect(() => readSegment(place, file)).toThrow(/is damaged at byte \d+.*Bring the file back/)
  }
})

test('B1: nobody writes an entry without the master key', () => {
  const place = makePlace()
  const file = writeThree(place)
  const other = { ...place, key: createSecretKey(Buffer.alloc(32, 2)) }
  expect(() => readSegment(other, file)).toThrow('written under another master key')
})

test('a record whose commit failed is taken back, and one whose commit took place after all stays', () => {
  const place = makePlace()
  const journal = begin(place)
  append(journal, 1, { bytes: 400 })
  journal.settle(0)
  append(journal, 1)
  expect(journal.isUnsettled).toBe(true)
  journal.settle(1)
  append(journal, 2)
  journal.settle(5)
  const file = join(place.folder, '00000001.journal')
  expect(commitsOf(place, file)).toEqual([1, 2])
  expect(readSegment(place, file).closed).toBe(true)
})

test(`a full file is followed by another, and goes when its successor was begun ${JOURNAL_DAYS} days ago`, () => {
  const place = makePlace()
  const journal = begin(place)
  const large = { bytes: 9 * 1024 * 1024 }
  const ages = [0, 0, 0, 0, 10, 10, JOURNAL_DAYS + 5, JOURNAL_DAYS + 5]
  for (const [index, days] of ages.entries()) {
    append(journal, index + 1, { ...large, atMs: days * DAY_MS })
    journal.settle(index + 1)
  }
  expect(readdirSync(place.folder)).toEqual(['00000002.journal', '00000003.journal', '00000004.journal'])
  const headers = listSegments(place.folder).map((file) => readSegment(place, file).header)
  expect(headers.map(({ journaled, continues }) => [journaled, continues])).toEqual([
    [2, null],
    [4, null],
    [6, null],
  ])
})
