import { authorizeRead } from '../management/authorize.ts'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import { type Receipt, receiptOf } from './receipt.ts'
import { noRevocation } from './rule-row.ts'

/**
 * Who has applied a revocation by now (rule V8). Throws `not_found`.
 *
 * That of a management key stands in the project of the management keys. Whoever has its id was given the same receipt
 * when it was made, and learns nothing else.
 */
export async function readReceipt(scope: Scope, id: string): Promise<Receipt> {
  await authorizeRead(scope, 'revocations:read')
  const row = await scope.reader
    .selectFrom('revocations')
    .select(['epoch', 'number'])
    .where('id', '=', id)
    .where('project_id', 'in', [scope.projectId, MANAGEMENT_PROJECT])
    .executeTakeFirst()
  if (row === undefined) throw noRevocation()
  return receiptOf({ id, position: { epoch: row.epoch, number: row.number } })
}
