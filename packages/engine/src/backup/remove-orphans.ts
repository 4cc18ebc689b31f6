import type { DatabaseSync } from 'node:sqlite'

interface ForeignKey {
  readonly table: string
  readonly from: string
  readonly to: string
}

/**
 * Deletes rows whose parent is missing: of a key or a project that was created after the backup the journal has what was
 * taken away, and nothing to take it from.
 */
export function removeOrphans(sqlite: DatabaseSync): void {
  const tables = sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  let deleted: number
  do {
    deleted = 0
    for (const { name } of tables) {
      for (const key of foreignKeysOf(sqlite, String(name)))
        deleted += deleteOrphans(sqlite, String(name), key)
    }
  } while (deleted > 0)
}

function foreignKeysOf(sqlite: DatabaseSync, table: string): ForeignKey[] {
  return sqlite
    .prepare('SELECT "table", "from", "to" FROM pragma_foreign_key_list(?)')
    .all(table)
    .map((row) => ({ table: String(row.table), from: String(row.from), to: String(row.to) }))
}

function deleteOrphans(sqlite: DatabaseSync, child: string, { table, from, to }: ForeignKey): number {
  const { changes } = sqlite
    .prepare(
      `DELETE FROM "${child}" WHERE "${from}" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "${table}" WHERE "${table}"."${to}" = "${child}"."${from}")`,
    )
    .run()
  return Number(changes)
}
