import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { migrate, migrationsUpTo } from './migrate.ts'
import { firstTables } from './migrations/0001-first-tables.ts'
import { type OpenDatabase, openForWriting } from './open-database.ts'

function open(): OpenDatabase {
  return openForWriting(join(temporaryFolder(), 'claviger.db'))
}

async function migrateAll({ sqlite, db }: OpenDatabase): Promise<void> {
  sqlite.exec('BEGIN IMMEDIATE')
  await migrate(db, 1_000)
  sqlite.exec('COMMIT')
}

test('a start brings an empty database to this version, and the next start leaves it as it is', async () => {
  const database = open()
  await migrateAll(database)
  await migrateAll(database)
  const rows = database.sqlite.prepare('SELECT number, name FROM migrations').all()
  expect(rows).toEqual([
    { number: 1, name: 'first-tables' },
    { number: 2, name: 'sessions' },
    { number: 3, name: 'keyring' },
    { number: 4, name: 'audiences' },
    { number: 5, name: 'limits' },
    { number: 6, name: 'usage' },
    { number: 7, name: 'key-shapes' },
    { number: 8, name: 'audit-chain' },
    { number: 9, name: 'journal' },
    { number: 10, name: 'operation' },
    { number: 11, name: 'last-use' },
    { number: 12, name: 'key-numbers' },
    { number: 13, name: 'disabled-keys' },
    { number: 14, name: 'issuing-keys' },
    { number: 15, name: 'grants' },
    { number: 16, name: 'usage-batches' },
    { number: 17, name: 'ends' },
    { number: 18, name: 'grant-lengths' },
    { number: 19, name: 'key-fills' },
  ])
  database.sqlite.close()
})

test('keys and subject records of a database from before the caps are counted, and whatever writes them is', async () => {
  const database = open()
  const { sqlite, db } = database
  sqlite.exec('BEGIN IMMEDIATE')
  await migrate(db, 1_000, [firstTables])
  const key = (id: string, deletedAtMs: string, verbs: string) => `
    INSERT INTO keys (id, project_id, name, prefix, subject, roles, permissions, metadata, disabled, created_at_ms,
      changed_at_ms, pos, deleted_at_ms, verbs)
    VALUES ('${id}', 'prj_1', '', 'ck', '', '[]', '[]', '{}', 0, 5, 5, '1-abcdefgh:0', ${deletedAtMs}, ${verbs});`
  sqlite.exec(`
    INSERT INTO projects VALUES ('prj_1', 'one', 'ck', 'RS256', '1-abcdefgh', 0, 5);
    ${key('live', 'NULL', 'NULL')} ${key('deleted', '6', 'NULL')} ${key('managing', 'NULL', `'[]'`)}
    INSERT INTO subjects VALUES ('prj_1', '', 'alice', NULL, NULL, 0, '{}', 5, 5);
    COMMIT`)
  await migrateAll(database)
  const tallies = () => sqlite.prepare('SELECT kind, held FROM tallies ORDER BY kind').all()
  expect(tallies()).toEqual([
    { kind: 'keys', held: 1 },
    { kind: 'subjects', held: 1 },
  ])
  sqlite.exec(`${key('new', 'NULL', 'NULL')} ${key('another', 'NULL', 'NULL')}
    UPDATE keys SET deleted_at_ms = 7 WHERE id = 'live';
    UPDATE keys SET deleted_at_ms = 8 WHERE id = 'live';
    DELETE FROM subjects`)
  expect(tallies()).toEqual([
    { kind: 'keys', held: 2 },
    { kind: 'subjects', held: 0 },
  ])
  database.sqlite.close()
})

test('counters of a database from before their ends were stored are given one that is never too early', async () => {
  const database = open()
  const { sqlite, db } = database
  sqlite.exec('BEGIN IMMEDIATE')
  await migrate(db, 1_000, migrationsUpTo(16))
  const startMs = Date.parse('2027-02-01T00:00:00Z')
  sqlite.exec("INSERT INTO projects VALUES ('prj_1', 'one', 'ck', 'RS256', '1-abcdefgh', 0, 5); COMMIT")
  const insert = sqlite.prepare(
    "INSERT INTO limit_counters VALUES ('prj_1', 'key', 'key_1', 'limit', ?, ?, 5)",
  )
  for (const period of ['3600s', 'hourly', 'daily', 'monthly', 'never']) insert.run(period, startMs)
  await migrateAll(database)
  const rows = sqlite
    .prepare('SELECT period, (ends_at_ms - start_ms) / 3600000 AS hours FROM limit_counters')
    .all()
  expect(Object.fromEntries(rows.map(({ period, hours }) => [period, hours]))).toEqual({
    '3600s': 1,
    hourly: 1,
    daily: 24,
    monthly: 31 * 24,
    never: null,
  })
  sqlite.close()
})

test('signing keys of a database from before the keyring keep all that they had', async () => {
  const database = open()
  const { sqlite, db } = database
  sqlite.exec('BEGIN IMMEDIATE')
  await migrate(db, 1_000, [firstTables])
  sqlite.exec(`
    INSERT INTO projects VALUES ('prj_1', 'one', 'ck', 'RS256', '1-abcdefgh', 0, 5);
    INSERT INTO signing_keys VALUES ('kid', 'prj_1', 'RS256', 'active', '{}', x'0102', 6, 7, NULL);
    COMMIT`)
  await migrateAll(database)
  expect(sqlite.prepare('SELECT * FROM signing_keys').all()).toEqual([
    {
      id: 'kid',
      project_id: 'prj_1',
      algorithm: 'RS256',
      status: 'active',
      public_jwk: '{}',
      private_sealed: new Uint8Array([1, 2]),
      created_at_ms: 6,
      activate_at_ms: null,
      activated_at_ms: 7,
      superseded_at_ms: null,
      tokens_until_ms: null,
      retired_at_ms: null,
    },
  ])
  // Another project may give a key of its own the same name.
  sqlite.exec(`
    INSERT INTO projects VALUES ('prj_2', 'two', 'ck', 'RS256', '1-abcdefgh', 0, 5);
    INSERT INTO signing_keys SELECT id, 'prj_2', algorithm, status, public_jwk, private_sealed, created_at_ms,
      activate_at_ms, activated_at_ms, superseded_at_ms, tokens_until_ms, retired_at_ms FROM signing_keys`)
  expect(() => sqlite.exec("UPDATE signing_keys SET project_id = 'prj_1'")).toThrow(/UNIQUE/)
  sqlite.close()
})

test('secrets of a database from before key shapes keep all that they had, and belong to the project of their key', async () => {
  const database = open()
  const { sqlite, db } = database
  sqlite.exec('BEGIN IMMEDIATE')
  await migrate(db, 1_000, [firstTables])
  sqlite.exec(`
    INSERT INTO projects VALUES ('prj_1', 'one', 'ck', 'RS256', '1-abcdefgh', 0, 5);
    INSERT INTO projects VALUES ('prj_2', 'two', 'ck', 'RS256', '1-abcdefgh', 0, 5);
    INSERT INTO keys (id, project_id, name, prefix, subject, roles, permissions, metadata, disabled, created_at_ms,
      changed_at_ms, pos) VALUES ('key_1', 'prj_1', 'a', 'ck', 's', '[]', '[]', '{}', 0, 6, 6, '1-abcdefgh:1');
    INSERT INTO key_secrets VALUES ('digest', 'key_1', 'locator1', 6, 7, 8);
    COMMIT`)
  await migrateAll(database)
  expect(sqlite.prepare('SELECT * FROM key_secrets').all()).toEqual([
    {
      digest: 'digest',
      project_id: 'prj_1',
      key_number: 1,
      key_id: 'key_1',
      locator: 'locator1',
      created_at_ms: 6,
      valid_until_ms: 7,
      revoked_at_ms: 8,
      shape: null,
      imported_as: null,
    },
  ])
  // Another project may import the same key.
  sqlite.exec(`
    INSERT INTO keys (id, project_id, name, prefix, subject, roles, permissions, metadata, disabled, created_at_ms,
      changed_at_ms, pos) VALUES ('key_2', 'prj_2', 'a', 'ck', 's', '[]', '[]', '{}', 0, 6, 6, '1-abcdefgh:1');
    INSERT INTO key_secrets VALUES ('digest', 'prj_2', 2, 'key_2', 'locator1', 6, NULL, NULL, 'old', 'x')`)
  expect(() => sqlite.exec("UPDATE key_secrets SET project_id = 'prj_1'")).toThrow(/UNIQUE/)
  sqlite.close()
})

test('keys of a database from before they had numbers keep all that they had, their indexes and their tallies', async () => {
  const database = open()
  const { sqlite, db } = database
  sqlite.exec('BEGIN IMMEDIATE')
  await migrate(db, 1_000, migrationsUpTo(11))
  sqlite.exec(`
    INSERT INTO projects (id, name, key_prefix, algorithm, epoch, head, created_at_ms)
      VALUES ('prj_1', 'one', 'ck', 'RS256', '1-abcdefgh', 0, 5);
    INSERT INTO keys (id, project_id, name, prefix, subject, roles, permissions, metadata, disabled, created_at_ms,
      changed_at_ms, pos, limits, created_by) VALUES
      ('key_b', 'prj_1', 'b', 'ck', 's', '[]', '[]', '{}', 0, 6, 6, '1-abcdefgh:1', '{}', 'key_m'),
      ('key_a', 'prj_1', 'a', 'ck', 's', '[]', '[]', '{}', 0, 6, 6, '1-abcdefgh:1', NULL, NULL);
    INSERT INTO key_secrets VALUES ('digest', 'prj_1', 'key_b', 'locator1', 6, NULL, NULL, NULL, NULL)`)
  const before = sqlite.prepare('SELECT * FROM keys ORDER BY id').all()
  const belongings = (): readonly Record<string, unknown>[] =>
    sqlite
      .prepare(
        "SELECT type, name, tbl_name FROM sqlite_schema WHERE tbl_name IN ('keys', 'key_secrets') AND sql IS NOT NULL AND type <> 'table' ORDER BY name",
      )
      .all()
  const belonged = belongings()
  await migrate(db, 1_000, migrationsUpTo(18))
  sqlite.exec('COMMIT')
  const index = { type: 'index', name: 'keys_disabled', tbl_name: 'keys' }
  expect(belongings()).toEqual(
    [...belonged, index].sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1)),
  )
  expect(sqlite.prepare('SELECT * FROM keys ORDER BY id').all()).toEqual(
    before.map((key, index) => ({ number: index + 1, ...key })),
  )
  expect(sqlite.prepare('SELECT key_number FROM key_secrets').all()).toEqual([{ key_number: 2 }])
  const held = (): unknown => sqlite.prepare("SELECT held FROM tallies WHERE owner = 'prj_1'").get()
  expect(held()).toEqual({ held: 2 })
  sqlite.exec("UPDATE keys SET deleted_at_ms = 7 WHERE id = 'key_a'")
  expect(held()).toEqual({ held: 1 })
  expect(sqlite.prepare('PRAGMA foreign_key_check').all()).toEqual([])
  sqlite.close()
})

test('the columns are those of the schema, and hold no value of another type', async () => {
  const database = open()
  await migrateAll(database)
  const strict = database.sqlite.prepare(
    "SELECT name FROM pragma_table_list WHERE strict = 0 AND schema = 'main' AND name NOT LIKE 'sqlite_%'",
  )
  expect(strict.all()).toEqual([])
  database.sqlite.close()
})

test('a key is found by one of its digests, and listed in its project, without reading others', async () => {
  const database = open()
  await migrateAll(database)
  const plan = (sql: string): string =>
    database.sqlite
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => detail)
      .join('; ')
  expect(plan("SELECT * FROM key_secrets WHERE digest = 'x'")).toBe(
    'SEARCH key_secrets USING PRIMARY KEY (digest=?)',
  )
  expect(plan("SELECT * FROM keys WHERE project_id = 'x' ORDER BY id")).toContain(
    'keys_by_project (project_id=?)',
  )
  expect(plan("SELECT * FROM keys WHERE project_id = 'x' AND subject = 'y' ORDER BY id")).toContain(
    'keys_by_subject',
  )
  const disabled = plan(
    "SELECT id FROM keys WHERE disabled = 1 AND changed_at_ms > 5 AND (project_id = 'x' OR (project_id = 'y' AND managed_project_id = 'x'))",
  )
  expect(disabled).toContain('keys_disabled (project_id=? AND changed_at_ms>?)')
  expect(disabled).not.toContain('keys_by_project')
  expect(
    plan(
      "SELECT id FROM issuing_keys CROSS JOIN keys WHERE keys.id = issuing_keys.key_id AND limits IS NOT NULL AND project_id = 'x'",
    ),
  ).toMatch(/^SCAN issuing_keys.*; SEARCH keys USING INDEX \w+ \((project_id=\? AND )?id=\?\)$/)
  expect(
    plan("SELECT * FROM changes WHERE project_id = 'x' AND epoch = 'e' AND number > 3 ORDER BY number"),
  ).not.toContain('TEMP B-TREE')
  database.sqlite.close()
})

test('a migration that fails leaves nothing behind', async () => {
  const database = open()
  await migrateAll(database)
  const failing = {
    number: 1_000,
    name: 'failing',
    up: async () => {
      database.sqlite.exec('CREATE TABLE half_made (a)')
      throw new TypeError('on purpose')
    },
  }
  const first = { number: 1, name: 'first-tables', up: async () => {} }
  const second = { number: 2, name: 'sessions', up: async () => {} }
  database.sqlite.exec('BEGIN IMMEDIATE')
  await expect(migrate(database.db, 2_000, [first, second, failing])).rejects.toThrow('on purpose')
  database.sqlite.exec('ROLLBACK')
  expect(database.sqlite.prepare("SELECT * FROM sqlite_schema WHERE name = 'half_made'").all()).toEqual([])
  database.sqlite.close()
})

test('a database of a newer version is refused', async () => {
  const database = open()
  await migrateAll(database)
  database.sqlite.exec("INSERT INTO migrations VALUES (1000, 'from-the-future', 0)")
  await expect(migrateAll(database)).rejects.toThrow(
    /The database is of version 1000, and this Claviger knows \d+\./,
  )
  database.sqlite.close()
})

test("another program's database is refused, and gets no table", async () => {
  const database = open()
  database.sqlite.exec('CREATE TABLE theirs (a)')
  await expect(migrateAll(database)).rejects.toThrow(/another program's tables/)
  expect(database.sqlite.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'theirs' }])
  database.sqlite.close()
})
