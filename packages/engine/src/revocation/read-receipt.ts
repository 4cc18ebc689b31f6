import type { Kysely } from 'kysely'
import Type from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import type { Schema } from '../storage/schema.ts'
import { type Receipt, receiptOfRow } from './receipt.ts'
import { noRevocation } from './rule-row.ts'
import { withReach } from './with-reach.ts'

const POLL_MS = 250
const MAX_WAIT_SECONDS = 30

export const ReadReceiptInput = Type.Object(
  {
    waitSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_WAIT_SECONDS,
        description: 'How long to wait for it to be effective before the answer; 0 if absent.',
      }),
    ),
  },
  { additionalProperties: false },
)

/**
 * Who has applied a revocation by now (rule V8). Throws `not_found`.
 *
 * That of a management key stands in the project of the management keys. Whoever has its id was given the same receipt
 * when it was made, and learns nothing else.
 */
export async function readReceipt(scope: Scope, id: string, input: unknown = {}): Promise<Receipt> {
  await authorizeRead(scope, 'revocations:read')
  const { waitSeconds = 0 } = parseInput(ReadReceiptInput, input)
  const stored = await showReceipt(scope.reader, [scope.projectId, MANAGEMENT_PROJECT], id)
  const untilMs = performance.now() + waitSeconds * 1000
  for (;;) {
    const receipt = await withReach(scope, stored)
    const leftMs = untilMs - performance.now()
    if (receipt.effective || leftMs <= 0) return receipt
    // A lease that ends is reported by nobody.
    await scope.edge.registry.nextReport(Math.min(leftMs, POLL_MS))
  }
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
