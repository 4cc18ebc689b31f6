import type { Kysely } from 'kysely'
import { CodedError, type ErrorCode } from '../coded-error.ts'
import { type Rights, requireGrants } from '../management/authorize.ts'
import { heldPermissions, requireRoles } from '../roles/role-permissions.ts'
import type { Schema } from '../storage/schema.ts'
import type { NewImportedKey } from './imported-key.ts'
import { givenRights } from './key.ts'

/** A key of a batch that was not imported, and why. It holds nothing of the key. */
export interface ImportFault {
  readonly index: number
  readonly code: ErrorCode
  readonly detail: string
}

export interface ImportPlan {
  /** What is to be written. */
  readonly fresh: readonly NewImportedKey[]
  /** How many were imported before, exactly as they stand here. */
  readonly exists: number
  readonly faults: readonly ImportFault[]
}

/** Where an import is judged: inside its command's transaction, or for a trial on a reader. */
export interface PlanPlace {
  readonly db: Kysely<Schema>
  readonly projectId: string
  readonly rights: Rights
}

/** Anything long enough to be a key's text: it may have been given in the place of another member. */
const SECRET_RUN = /[A-Za-z0-9_~+/=:-]{20,}/g

/**
 * Judges each key of a batch by itself: imported already, in conflict with what is there, beyond the caller's grants
 * (rule M3), or to be written.
 */
export async function planImport(place: PlanPlace, keys: readonly NewImportedKey[]): Promise<ImportPlan> {
  const known = await loadKnown(place, keys)
  const judged = new Map<string, Promise<unknown>>()
  const fresh: NewImportedKey[] = []
  const faults: ImportFault[] = []
  let exists = 0
  for (const candidate of keys) {
    const { index, key, secret, importedAs } = candidate
    const before = known.get(secret.digest)
    if (before === importedAs) {
      exists++
    } else if (before !== undefined) {
      faults.push({ index, code: 'already_exists', detail: CONFLICT })
    } else {
      // A table of keys has few different sets of rights.
      const rights = `${key.roles}${key.permissions}${key.scopes}`
      const judgement = judged.get(rights) ?? judge(place, candidate)
      judged.set(rights, judgement)
      const error = await judgement
      if (error !== undefined) {
        faults.push(faultOf(index, error))
        continue
      }
      known.set(secret.digest, importedAs)
      fresh.push(candidate)
    }
  }
  return { fresh, exists, faults }
}

const CONFLICT =
  'The project has this key already, and not with these members. Change that key instead, or leave the line out.'

/** The fault of a coded error; any other is thrown. Of what the caller wrote, nothing long is repeated. */
export function faultOf(index: number, error: unknown): ImportFault {
  if (!(error instanceof CodedError)) throw error
  return { index, code: error.code, detail: error.message.replaceAll(SECRET_RUN, '[redacted]') }
}

/** By digest, what each was imported as; empty for a key of our own. */
async function loadKnown(
  { db, projectId }: PlanPlace,
  keys: readonly NewImportedKey[],
): Promise<Map<string, string>> {
  const digests = keys.map(({ secret }) => secret.digest)
  if (digests.length === 0) return new Map()
  const rows = await db
    .selectFrom('key_secrets')
    .select(['digest', 'imported_as'])
    .where('project_id', '=', projectId)
    .where('digest', 'in', digests)
    .execute()
  return new Map(rows.map(({ digest, imported_as }) => [digest, imported_as ?? '']))
}

/** Resolves to the reason why the key may not be handed out. */
async function judge({ rights, ...place }: PlanPlace, { key }: NewImportedKey): Promise<unknown> {
  const given = givenRights(key)
  try {
    await requireRoles(place, given.roles)
    requireGrants(rights, await heldPermissions(place, given), 'the key')
    return undefined
  } catch (error) {
    return error
  }
}
