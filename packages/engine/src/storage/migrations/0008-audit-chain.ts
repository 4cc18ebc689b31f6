import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/**
 * Audit entries are numbered without gaps in their project and chained by MACs (decision 0018). Those from before have an
 * empty MAC until the start that runs this has chained them (audit/chain-old-entries.ts): the key is not at hand here.
 */
export const auditChain: Migration = {
  number: 8,
  name: 'audit-chain',
  async up(db, { text, integer, keyedTable }) {
    await db.schema.alterTable('audit').renameTo('audit_before').execute()
    await db.schema
      .createTable('audit')
      .addColumn('project_id', text, (column) => column.notNull())
      .addColumn('sequence', integer, (column) => column.notNull())
      .addColumn('at_ms', integer, (column) => column.notNull())
      .addColumn('command_id', text, (column) => column.notNull())
      .addColumn('actor', text, (column) => column.notNull())
      .addColumn('action', text, (column) => column.notNull())
      .addColumn('target', text, (column) => column.notNull())
      .addColumn('outcome', text, (column) => column.notNull())
      .addColumn('address', text)
      .addColumn('request_id', text)
      .addColumn('detail', text, (column) => column.notNull())
      .addColumn('mac', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('audit_pk', ['project_id', 'sequence'])
      .modifyEnd(keyedTable)
      .execute()
    await sql`
      insert into audit
      select project_id, row_number() over (partition by project_id order by sequence), at_ms, command_id, actor,
        action, target, 'done', null, null, detail, ''
      from audit_before`.execute(db)
    await db.schema.dropTable('audit_before').execute()
    await db.schema
      .createTable('audit_points')
      .addColumn('project_id', text, (column) => column.notNull())
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('sequence', integer, (column) => column.notNull())
      .addColumn('mac', text, (column) => column.notNull())
      .addColumn('at_ms', integer, (column) => column.notNull())
      .addColumn('signature', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('audit_points_pk', ['project_id', 'kind', 'sequence'])
      .modifyEnd(keyedTable)
      .execute()
  },
}
