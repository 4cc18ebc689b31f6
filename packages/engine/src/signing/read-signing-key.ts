import type { Kysely } from 'kysely'
import { CodedError } from '../coded-error.ts'
import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import type { Schema } from '../storage/schema.ts'
import { PUBLIC_COLUMNS, type PublicKeyRow } from './ring.ts'
import { type SigningKeyView, viewSigningKeys } from './signing-key-view.ts'

/** Where a signing key is looked for. */
export interface SigningKeyName {
  readonly projectId: string
  /** The `kid`. */
  readonly id: string
}

/** One signing key, its public part as JWK and PEM. Throws `not_found`. */
export async function readSigningKey(scope: Scope, id: string): Promise<SigningKeyView> {
  await authorizeRead(scope, 'signing-keys:read')
  return showSigningKey(scope.reader, { projectId: scope.projectId, id })
}

/** The key as callers see it; asks for no right. Throws `not_found`. */
export async function showSigningKey(db: Kysely<Schema>, name: SigningKeyName): Promise<SigningKeyView> {
  const row = await loadSigningKey(db, name)
  const [view] = await viewSigningKeys(db, { projectId: name.projectId, rows: [row] })
  if (view === undefined) throw new TypeError('one row gave no view')
  return view
}

/** Throws `not_found`. */
export async function loadSigningKey(
  db: Kysely<Schema>,
  { projectId, id }: SigningKeyName,
): Promise<PublicKeyRow> {
  const row = await db
    .selectFrom('signing_keys')
    .select(PUBLIC_COLUMNS)
    .where('project_id', '=', projectId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (row === undefined) throw new CodedError('not_found', 'The project has no such signing key.')
  return row
}
