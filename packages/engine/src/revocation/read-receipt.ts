import type { Kysely } from 'kysely'
import { authorizeRead } from '../management/authorize.ts'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import type { Schema } from '../storage/schema.ts'
import { type Receipt, receiptOfRow } from './receipt.ts'
import { noRevocation } from './rule-row.ts'

/**
 * Who has applied a revocation by now (rule V8). Throws `not_found`.
 *
 * That of a management key stands in the project of the management keys. Whoever has its id was given the same receipt
 * when it was made, and learns nothing else.
 */
export async function readReceipt(scope: Scope, id: string): Promise<Receipt> {
  await authorizeRead(scope, 'revocations:read')
  return showReceipt(scope.reader, [scope.projectId, MANAGEMENT_PROJECT], id)
}

/** The receipt of a revocation in one of the projects; asks for no right. Throws `not_found`. */
export async function showReceipt(
  db: Kysely<Schema>,
  projectIds: readonly string[],
  id: string,
): Promise<Receipt> {
  const row = await db
    .selectFrom('revocations')
    .selectAll()
    .where('id', '=', id)
    .where('project_id', 'in', projectIds)
    .executeTakeFirst()
  if (row === undefined) throw noRevocation()
  return receiptOfRow(row)
}
