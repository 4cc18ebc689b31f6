import type { Position } from '@claviger/verify'
import type { Kysely } from 'kysely'
import { CodedError } from '../coded-error.ts'
import type { Schema } from '../storage/schema.ts'

/** The position of the project's last change (rule C3). What is read after it is at least as new. */
export async function readHead(db: Kysely<Schema>, projectId: string): Promise<Position> {
  const row = await db
    .selectFrom('projects')
    .select(['epoch', 'head'])
    .where('id', '=', projectId)
    .executeTakeFirst()
  if (row === undefined) throw new CodedError('not_found', 'There is no such project.')
  return { epoch: row.epoch, number: row.head }
}
