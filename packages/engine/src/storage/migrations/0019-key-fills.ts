import { type Kysely, sql } from 'kysely'
import type { Migration } from './migration.ts'

/** What a fill reads of the key, named as in `keys`. */
const OF_KEY = [
  'subject',
  'roles',
  'permissions',
  'scopes',
  'metadata',
  'limits',
  'created_at_ms',
  'pos',
  'expires_at_ms',
  'not_before_ms',
  'ip_allow',
  'disabled',
  'revoked_at_ms',
  'deleted_at_ms',
  'managed_project_id',
  'verbs',
  'grants',
]

/** Each column of `key_fills` but the place, and where it comes from. */
const SOURCES: Readonly<Record<string, string>> = {
  digest: 'key_secrets.digest',
  project_id: 'key_secrets.project_id',
  key_number: 'keys.number',
  key_id: 'keys.id',
  secret_valid_until_ms: 'key_secrets.valid_until_ms',
  secret_revoked_at_ms: 'key_secrets.revoked_at_ms',
  ...Object.fromEntries(OF_KEY.map((column) => [column, `keys.${column}`])),
}

/** The first place that a secret may stand at, and the last: those of changes/fill-places.ts. */
const FIRST = [
  codeOf('key_secrets.digest', 1, 7),
  codeOf('key_secrets.digest', -4, 4),
  codeOf('key_secrets.project_id', -7, 7),
].join(' + ')
const LAST = `${FIRST} + 127`

/**
 * The first of them that is free; where none is, one that is taken, so that nothing is written: nobody but who made his
 * secrets alike has so many, and a trigger that fails would keep him from being revoked. Null would be any place.
 */
const FREE = `coalesce((
  SELECT min(place) FROM (
    SELECT ${FIRST} AS place UNION ALL SELECT place + 1 FROM key_fills WHERE place BETWEEN ${FIRST} AND ${LAST} - 1
  ) AS candidates WHERE place NOT IN (SELECT place FROM key_fills WHERE place BETWEEN ${FIRST} AND ${LAST})
), ${FIRST})`

/** Crossed, so that SQLite begins with the secrets: those of all keys then come in the order of their places. */
const JOINED = `key_secrets CROSS JOIN keys ON keys.number = key_secrets.key_number AND keys.id = key_secrets.key_id
  AND keys.project_id = key_secrets.project_id`

const MISSING = `NOT EXISTS (SELECT 1 FROM key_fills WHERE key_fills.key_number = keys.number
  AND key_fills.digest = key_secrets.digest AND key_fills.project_id = key_secrets.project_id)`

/** The secrets that a row of either table is about. */
const SECRET = 'key_secrets.digest = new.digest AND key_secrets.project_id = new.project_id'
const OF_THE_KEY = 'key_secrets.key_id = new.id'

const DROP_KEY = 'DELETE FROM key_fills WHERE key_number = old.number'
const DROP_SECRET =
  'DELETE FROM key_fills WHERE key_number = old.key_number AND digest = old.digest AND project_id = old.project_id'

/** By the event: what goes, and what comes in its place. */
const TRIGGERS = {
  secret_inserted: ['INSERT ON key_secrets', ...add(SECRET)],
  secret_updated: ['UPDATE ON key_secrets', DROP_SECRET, ...add(SECRET)],
  secret_deleted: ['DELETE ON key_secrets', DROP_SECRET],
  key_inserted: ['INSERT ON keys', ...add(OF_THE_KEY)],
  key_updated: [
    `UPDATE OF number, id, project_id, ${OF_KEY.join(', ')} ON keys`,
    DROP_KEY,
    ...add(OF_THE_KEY),
  ],
  key_deleted: ['DELETE ON keys', DROP_KEY],
}

/**
 * All that a fill reads of a secret and its key in one row, found by an integer that is made of the secret's digest
 * (decision 0034). Triggers keep it what `keys` and `key_secrets` say, whatever writes those and in whatever order: a
 * command, or a replay of the journal.
 */
export const keyFills: Migration = {
  number: 19,
  name: 'key-fills',
  async up(db, { text, integer, table }) {
    await db.schema
      .createTable('key_fills')
      .addColumn('place', integer, (column) => column.primaryKey())
      .addColumn('digest', text, (column) => column.notNull())
      .addColumn('project_id', text, (column) => column.notNull())
      .addColumn('key_number', integer, (column) => column.notNull())
      .addColumn('key_id', text, (column) => column.notNull())
      .addColumn('secret_valid_until_ms', integer)
      .addColumn('secret_revoked_at_ms', integer)
      .addColumn('subject', text, (column) => column.notNull())
      .addColumn('roles', text, (column) => column.notNull())
      .addColumn('permissions', text, (column) => column.notNull())
      .addColumn('scopes', text)
      .addColumn('metadata', text, (column) => column.notNull())
      .addColumn('limits', text)
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addColumn('pos', text, (column) => column.notNull())
      .addColumn('expires_at_ms', integer)
      .addColumn('not_before_ms', integer)
      .addColumn('ip_allow', text)
      .addColumn('disabled', integer, (column) => column.notNull())
      .addColumn('revoked_at_ms', integer)
      .addColumn('deleted_at_ms', integer)
      .addColumn('managed_project_id', text)
      .addColumn('verbs', text)
      .addColumn('grants', text)
      .modifyEnd(table)
      .execute()
    await db.schema.createIndex('key_fills_by_key').on('key_fills').column('key_number').execute()
    await fillTable(db)
    for (const [name, [event, ...steps]] of Object.entries(TRIGGERS)) {
      await run(db, `CREATE TRIGGER key_fills_${name} AFTER ${event} BEGIN ${steps.join('; ')}; END`)
    }
  },
}

/** Row by row without sorting, which would take memory by the number of keys; then those whose first place was taken. */
async function fillTable(db: Kysely<unknown>): Promise<void> {
  await run(db, `INSERT OR IGNORE INTO ${rowsOf(FIRST)}`)
  const { rows } = await sql<{ digest: string; project: string }>`SELECT key_secrets.digest,
    key_secrets.project_id AS project FROM ${sql.raw(`${JOINED} WHERE ${MISSING}`)}`.execute(db)
  for (const { digest, project } of rows) {
    await sql`INSERT OR IGNORE INTO ${sql.raw(rowsOf(FREE))}
      WHERE key_secrets.digest = ${digest} AND key_secrets.project_id = ${project}`.execute(db)
  }
}

/** Nearly always the first place is free, so that it alone is made, once. */
function add(secrets: string): readonly string[] {
  return [
    `INSERT OR IGNORE INTO ${rowsOf(FIRST)} WHERE ${secrets}`,
    `INSERT OR IGNORE INTO ${rowsOf(FREE)} WHERE ${secrets} AND ${MISSING}`,
  ]
}

function rowsOf(place: string): string {
  const [columns, values] = [Object.keys(SOURCES).join(', '), Object.values(SOURCES).join(', ')]
  return `key_fills (place, ${columns}) SELECT ${place}, ${values} FROM ${JOINED}`
}

/** So many characters from `start` on, as SQLite counts them, as digits to the base of 128; those that are missing are 0. */
function codeOf(text: string, start: number, length: number): string {
  const digits = Array.from({ length }, (_, index) => {
    const digit = `(coalesce(unicode(substr(${text}, ${start + index}, 1)), 0) & 127)`
    return `(${digit} << ${7 * (length - 1 - index)})`
  })
  return digits.join(' + ')
}

async function run(db: Kysely<unknown>, statement: string): Promise<void> {
  await sql.raw(statement).execute(db)
}
