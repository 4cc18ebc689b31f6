import type { ClientFact } from '@claviger/verify'
import type { Kysely } from 'kysely'
import { parseLimits } from '../limits/limits-column.ts'
import type { Schema } from '../storage/schema.ts'
import type { KeyRow } from './key.ts'

type ClientColumns = Pick<KeyRow, 'id' | 'disabled' | 'limits'>

/** What verifiers must know of a key to decide on the tokens that name it as their client (rule V5). */
export function clientFact({ id, disabled, limits }: ClientColumns): ClientFact {
  return {
    type: 'client',
    id,
    disabled: disabled !== 0,
    ...(limits === null ? {} : { limits: parseLimits(limits) }),
  }
}

/** Whether tokens were derived from the key while it had limits: from then on verifiers are told of them. */
export async function isIssuing(db: Kysely<Schema>, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('issuing_keys')
    .select('key_id')
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  return row !== undefined
}
