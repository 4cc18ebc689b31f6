import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { openForReading, openForWriting, parseDatabaseAddress } from './open-database.ts'

test('sqlite:FILE names a file and the data folder it stands in', () => {
  expect(parseDatabaseAddress('sqlite:claviger-data/claviger.db')).toEqual({
    file: resolve('claviger-data/claviger.db'),
    folder: resolve('claviger-data'),
  })
})

test.each([
  'claviger.db',
  'sqlite:',
  'sqlite::memory:',
  'sqlite://host/file',
  'sqlite:file:x',
  'mysql://host/x',
])('%s is refused, and the error says how to write it', (text) => {
  expect(() => parseDatabaseAddress(text)).toThrow(/sqlite:FILE/)
})

test('PostgreSQL is refused as not supported yet, and its password is not repeated', () => {
  const parse = (): unknown => parseDatabaseAddress('postgres://user:sentinel@host/db')
  expect(parse).toThrow(/is not supported yet/)
  expect(parse).not.toThrow(/sentinel/)
})

test('the folder and every file of the database are for their owner alone', () => {
  const folder = join(temporaryFolder(), 'data')
  const file = join(folder, 'claviger.db')
  const { sqlite } = openForWriting(file)
  sqlite.exec('CREATE TABLE t (a)')
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  for (const name of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(name).mode & 0o777).toBe(0o600)
  sqlite.close()
})

test('the writer waits for the disk at each commit, and holds to references', () => {
  const { sqlite } = openForWriting(join(temporaryFolder(), 'claviger.db'))
  expect(sqlite.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  expect(sqlite.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
  expect(sqlite.prepare('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 })
  sqlite.close()
})

test('the writer runs no statement outside a transaction', async () => {
  const { sqlite, db } = openForWriting(join(temporaryFolder(), 'claviger.db'))
  await expect(db.selectFrom('projects').selectAll().execute()).rejects.toThrow(/outside a transaction/)
  sqlite.close()
})

test('the reader sees what is committed and nothing else, and cannot write', async () => {
  const file = join(temporaryFolder(), 'claviger.db')
  const writer = openForWriting(file)
  writer.sqlite.exec('CREATE TABLE t (a)')
  const reader = openForReading(file)
  const count = (): unknown => reader.sqlite.prepare('SELECT count(*) AS n FROM t').get()?.n
  writer.sqlite.exec('BEGIN IMMEDIATE; INSERT INTO t VALUES (1)')
  expect(count()).toBe(0)
  writer.sqlite.exec('COMMIT')
  expect(count()).toBe(1)
  expect(() => reader.sqlite.exec('INSERT INTO t VALUES (2)')).toThrow(/readonly/)
  reader.sqlite.close()
  writer.sqlite.close()
})

test('a reader makes no database', () => {
  const file = join(temporaryFolder(), 'claviger.db')
  expect(() => openForReading(file)).toThrow()
  expect(existsSync(file)).toBe(false)
})
