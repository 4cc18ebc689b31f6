import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { type Receipt, receiptOf } from './receipt.ts'
import { loadRule } from './rule-row.ts'

/** Who has applied a revocation by now (rule V8). Throws `not_found`. */
export async function readReceipt(scope: Scope, id: string): Promise<Receipt> {
  await authorizeRead(scope, 'revocations:read')
  const { epoch, number } = await loadRule({ db: scope.reader, projectId: scope.projectId }, id)
  return receiptOf({ id, position: { epoch, number } })
}
