import { join } from 'node:path'
import { sha256 } from '@claviger/verify'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { migrate, migrationsUpTo } from '../storage/migrate.ts'
import { type OpenDatabase, openForWriting } from '../storage/open-database.ts'
import { fillKey } from './fill-key.ts'
import { placesOf } from './fill-places.ts'

const PROJECT = '019a2f00-0000-7000-8000-00000000abcd'
const OTHER = '019a2f00-0000-7000-8000-0000000dcba0'
const START = 'AbCdEf-'

let database: OpenDatabase

beforeEach(() => {
  database = openForWriting(join(temporaryFolder(), 'claviger.db'))
})
afterEach(() => database.sqlite.close())

/** The tables of a version, or of the last, with two projects. Foreign keys do not count, as in a replay. */
async function prepare(version = Number.POSITIVE_INFINITY): Promise<void> {
  const { sqlite, db } = database
  sqlite.exec('PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE')
  await migrate(db, 1_000, migrationsUpTo(version))
  sqlite.exec(`INSERT INTO projects (id, name, key_prefix, algorithm, epoch, head, created_at_ms) VALUES
    ('${PROJECT}', 'one', 'ck', 'RS256', '1-abcdefgh', 7, 5), ('${OTHER}', 'two', 'ck', 'RS256', '1-abcdefgh', 7, 5);
    INSERT INTO installation (id, created_at_ms, master_key_fingerprint, last_commit_at_ms) VALUES (1, 5, '', 5);
    COMMIT`)
}

function insertKey(number: number, projectId = PROJECT): void {
  database.sqlite
    .prepare(`INSERT INTO keys (number, id, project_id, name, prefix, subject, roles, permissions, metadata, disabled,
      created_at_ms, changed_at_ms, pos) VALUES (?, ?, ?, '', 'ck', ?, '[]', '[]', '{}', 0, 5, 5, '1-abcdefgh:1')`)
    .run(number, `key_${number}`, projectId, `subject_${number}`)
}

function insertSecret(digest: string, number: number, projectId = PROJECT): void {
  database.sqlite
    .prepare('INSERT INTO key_secrets VALUES (?, ?, ?, ?, ?, 5, NULL, NULL, NULL, NULL)')
    .run(digest, projectId, number, `key_${number}`, 'locator1')
}

function alike(number: number): string {
  return `${START}${number}`.padEnd(39, '_').concat('same')
}

/** The subject of the key that a fill finds. */
async function find(digest: string, projectId = PROJECT): Promise<string | undefined> {
  const reader = database.db
  database.sqlite.exec('BEGIN')
  const { key } = await fillKey(reader, { projectId, digest })
  database.sqlite.exec('COMMIT')
  return key?.subject
}

function placed(): unknown[] {
  return database.sqlite.prepare('SELECT place, digest FROM key_fills ORDER BY place').all()
}

describe('a secret', () => {
  test('stands where it is looked for, whatever its digest and its project are called', async () => {
    await prepare()
    const { sqlite } = database
    const place = sqlite.prepare('SELECT place FROM key_fills WHERE digest = ? AND project_id = ?')
    const text = fc.oneof(
      fc.string({ maxLength: 43 }),
      fc.string().map((given) => sha256(given)),
    )
    let number = 0
    fc.assert(
      fc.property(text, fc.string({ minLength: 1, maxLength: 40 }), (digest, projectId) => {
        number += 1
        sqlite.exec('SAVEPOINT one')
        insertKey(number, projectId)
        insertSecret(digest, number, projectId)
        expect(place.get(digest, projectId)).toEqual({ place: placesOf({ digest, projectId }).first })
        sqlite.exec('ROLLBACK TO one; RELEASE one')
      }),
    )
  })

  test('whose digest is like those of others stands behind them and is found: 128 of a project, and none beyond', async () => {
    await prepare()
    const { first } = placesOf({ digest: alike(1), projectId: PROJECT })
    for (let number = 1; number <= 129; number++) insertKey(number)
    for (let number = 1; number <= 128; number++) insertSecret(alike(number), number)
    expect(placed()).toEqual(
      Array.from({ length: 128 }, (_, index) => ({ place: first + index, digest: alike(index + 1) })),
    )
    for (const number of [1, 2, 128]) expect(await find(alike(number))).toBe(`subject_${number}`)
    expect(await find(alike(129))).toBeUndefined()
    insertSecret(alike(129), 129)
    expect(await find(alike(129))).toBeUndefined()
    expect(await find(alike(128))).toBe('subject_128')

    insertKey(200, OTHER)
    insertSecret(alike(1), 200, OTHER)
    expect(await find(alike(1), OTHER)).toBe('subject_200')
    expect(await find(alike(2), OTHER)).toBeUndefined()
    expect(await find(alike(1))).toBe('subject_1')
  })

  test('of a database from before the places is found, and so are those whose digests are alike', async () => {
    await prepare(18)
    for (let number = 11; number <= 140; number++) insertKey(number)
    for (let number = 11; number <= 140; number++) insertSecret(alike(number), number)
    insertKey(4, OTHER)
    insertSecret(sha256('other'), 4, OTHER)
    // A secret without a key, such as a foreign key would not allow, is none.
    insertSecret(sha256('lost'), 5)
    database.sqlite.exec('BEGIN IMMEDIATE')
    await migrate(database.db, 2_000)
    database.sqlite.exec('COMMIT')
    for (const number of [11, 97, 140]) expect(await find(alike(number))).toBe(`subject_${number}`)
    expect(await find(sha256('other'), OTHER)).toBe('subject_4')
    expect(await find(sha256('lost'))).toBeUndefined()
    expect(placed()).toHaveLength(129)
  })
})

test('whatever is written to keys and secrets, in any order, the rows of fills say the same', async () => {
  await prepare()
  const { sqlite } = database
  const joined =
    sqlite.prepare(`SELECT digest, s.project_id, k.number AS key_number, k.id AS key_id, s.valid_until_ms AS
    secret_valid_until_ms, s.revoked_at_ms AS secret_revoked_at_ms, subject, roles, permissions, scopes, metadata, limits,
    k.created_at_ms, pos, expires_at_ms, not_before_ms, ip_allow, disabled, k.revoked_at_ms, deleted_at_ms,
    managed_project_id, verbs, grants FROM key_secrets s JOIN keys k ON k.number = s.key_number AND k.id = s.key_id AND
    k.project_id = s.project_id ORDER BY digest, s.project_id`)
  const written = sqlite.prepare('SELECT * FROM key_fills ORDER BY digest, project_id')
  const changes = [
    ...['subject', 'roles', 'permissions', 'scopes', 'metadata', 'limits', 'pos', 'ip_allow'],
    ...['managed_project_id', 'verbs', 'grants', 'created_at_ms', 'expires_at_ms', 'not_before_ms'],
    ...['disabled', 'revoked_at_ms', 'deleted_at_ms', 'changed_at_ms'],
  ].map((column) => `UPDATE keys SET ${column} = '77' WHERE number = $number`)
  const statement = fc.constantFrom(
    ...changes,
    'INSERT',
    'INSERT secret',
    'DELETE FROM keys WHERE number = $number',
    'DELETE FROM key_secrets WHERE key_number = $number',
    'UPDATE keys SET number = number + 10 WHERE number = $number',
    "UPDATE keys SET id = 'key_x' || id WHERE number = $number",
    'UPDATE key_secrets SET valid_until_ms = 88 WHERE key_number = $number',
    'UPDATE key_secrets SET revoked_at_ms = 99 WHERE key_number = $number',
    'UPDATE key_secrets SET key_number = 3, key_id = $id WHERE key_number = $number AND $number = 2',
  )
  const step = fc.record({ statement, number: fc.integer({ min: 1, max: 3 }), name: fc.integer({ max: 6 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      sqlite.exec('SAVEPOINT run')
      for (const { statement, number, name } of steps) {
        if (statement === 'INSERT') attempt(() => insertKey(number))
        else if (statement === 'INSERT secret') attempt(() => insertSecret(`${name}${alike(number)}`, number))
        else if (statement.includes('$id')) sqlite.prepare(statement).run({ $number: number, $id: 'key_3' })
        else attempt(() => sqlite.prepare(statement).run({ $number: number }))
        expect(written.all().map(({ place: _, ...row }) => row)).toEqual(joined.all())
      }
      sqlite.exec('ROLLBACK TO run; RELEASE run')
    }),
  )
})

/** What collides is refused, and changes nothing. */
function attempt(write: () => void): void {
  try {
    write()
  } catch (error) {
    expect(String(error)).toMatch(/UNIQUE constraint failed: (keys|key_secrets)\./)
  }
}
