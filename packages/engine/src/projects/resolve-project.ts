import type { Kysely } from 'kysely'
import { CodedError } from '../coded-error.ts'
import type { Schema } from '../storage/schema.ts'

/** What never changes of a project. */
export interface ResolvedProject {
  readonly id: string
  readonly name: string
  /** What its customers' keys begin with unless they choose otherwise. */
  readonly keyPrefix: string
}

/** Finds a project by its name. Throws `not_found`. */
export async function resolveProject(db: Kysely<Schema>, name: string): Promise<ResolvedProject> {
  const row = await db
    .selectFrom('projects')
    .select(['id', 'name', 'key_prefix'])
    .where('name', '=', name)
    .executeTakeFirst()
  if (row === undefined) throw new CodedError('not_found', 'There is no project of this name.')
  return { id: row.id, name: row.name, keyPrefix: row.key_prefix }
}
