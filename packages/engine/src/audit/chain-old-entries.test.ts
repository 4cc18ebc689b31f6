import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { openAuditPlace } from '../../test/audit-place.ts'
import { migrate } from '../storage/migrate.ts'
import { firstTables } from '../storage/migrations/0001-first-tables.ts'
import { sessions } from '../storage/migrations/0002-sessions.ts'
import { keyring } from '../storage/migrations/0003-keyring.ts'
import { audiences } from '../storage/migrations/0004-audiences.ts'
import { openForWriting } from '../storage/open-database.ts'

test('entries from before the chain are numbered by project and chained at the upgrade, which says so', async () => {
  const place = openAuditPlace()
  const { sqlite, db } = openForWriting(place.file)
  sqlite.exec('BEGIN IMMEDIATE')
  await migrate(db, 1_000, [firstTables, sessions, keyring, audiences])
  sqlite.exec(`
    INSERT INTO audit VALUES (1, 'claviger', 5, 'cmd_1', 'installation', 'project.create', 'claviger', '{}');
    INSERT INTO audit VALUES (2, 'default', 6, 'cmd_1', 'installation', 'project.create', 'default', '{"a":1}');
    INSERT INTO audit VALUES (5, 'default', 7, 'cmd_2', 'embedder', 'role.put', 'reader', '{}');
    COMMIT`)
  sqlite.close()
  writeFileSync(join(dirname(place.file), 'master-key'), Buffer.alloc(32, 1).toString('base64url'), {
    mode: 0o600,
  })

  const engine = await place.start()
  const { items } = await engine.project('default').audit.list()
  expect(items.slice(-3)).toMatchObject([
    { sequence: 3, action: 'audit.chain', actor: 'installation', detail: { entriesBefore: 2 } },
    { sequence: 2, action: 'role.put', actor: 'embedder', target: 'reader', outcome: 'done', address: null },
    { sequence: 1, action: 'project.create', detail: { a: 1 } },
  ])
  await engine.close()
  expect(await place.verify()).toMatchObject({ ok: true })
  expect(await place.verify([], 'claviger')).toMatchObject({ ok: true })
  place.tamper("UPDATE audit SET target = 'writer' WHERE project_id = 'default' AND sequence = 2")
  expect(await place.verify()).toMatchObject({ fault: { sequence: 2, problem: 'altered' } })
})
