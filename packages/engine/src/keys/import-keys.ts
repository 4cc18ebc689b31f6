import { formatPosition, sha256 } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { requireRoom } from '../caps/require-room.ts'
import type { Command, CommandContext } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { KeyShapeName, loadKeyShape } from '../key-shapes/key-shape.ts'
import { authorize, authorizeRead } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import { resolveProject } from '../projects/resolve-project.ts'
import type { Scope } from '../scope.ts'
import { insertRows } from '../storage/insert-rows.ts'
import { ImportedKey, type NewImportedKey, prefixAfterRotation, readImportedKey } from './imported-key.ts'
import type { KeyRow } from './key.ts'
import { faultOf, type ImportFault, type ImportPlan, planImport } from './plan-import.ts'

/** Few enough that no other command waits for long. */
const MAX_KEYS = 500

const members = {
  shape: KeyShapeName,
  dryRun: Type.Optional(
    Type.Boolean({ description: 'True: says what would become of each, and writes nothing.' }),
  ),
}

export const ImportKeysInput = Type.Object(
  { ...members, keys: Type.Array(ImportedKey, { minItems: 1, maxItems: MAX_KEYS }) },
  { additionalProperties: false },
)

/** The same, but for the keys: each is judged by itself, so that a bad one spoils no other. */
const Batch = Type.Object(
  { ...members, keys: Type.Array(Type.Unknown(), { minItems: 1, maxItems: MAX_KEYS }) },
  { additionalProperties: false },
)

export const ImportedKeys = Type.Object({
  imported: Type.Integer({ description: 'How many are new.' }),
  exists: Type.Integer({ description: 'How many were imported before, with the same members.' }),
  failed: Type.Array(
    Type.Object({
      index: Type.Integer({ description: 'Its place in `keys`, from 0.' }),
      code: Type.String({ description: 'As of a problem: `already_exists` is a key with other members.' }),
      detail: Type.String(),
    }),
    { description: 'The others, by their place.' },
  ),
})
export type ImportedKeys = Static<typeof ImportedKeys>

interface ImportKeysArgs {
  readonly projectId: string
  readonly shape: string
  readonly keys: readonly NewImportedKey[]
}

/**
 * Imports keys that were issued elsewhere, by their hashes. Each is a key like any other from then on; a rotation gives
 * it a text of our own. Sending a key again changes nothing, whatever has become of it since. A batch is one change
 * (rule C3), and each key needs grants that cover it (rule M3); those that fail are named, the others are imported.
 */
export async function importKeys(scope: Scope, input: unknown): Promise<ImportedKeys> {
  requireCustomerProject(scope)
  const rights = await authorizeRead(scope, 'keys:write')
  const batch = parseInput(Batch, input)
  const place = { db: scope.reader, projectId: scope.projectId }
  const shape = await loadKeyShape(place, batch.shape)
  const { keyPrefix } = await resolveProject(scope.reader, scope.project)
  const prefix = prefixAfterRotation(shape, keyPrefix)

  const keys: NewImportedKey[] = []
  const unread: ImportFault[] = []
  for (const [index, line] of batch.keys.entries()) {
    try {
      keys.push(readImportedKey(scope, { shape, prefix }, { index, input: line }))
    } catch (error) {
      unread.push(faultOf(index, error))
    }
  }
  const args = { projectId: scope.projectId, shape: shape.name, keys }
  const judged =
    batch.dryRun === true
      ? reportOf(await planImport({ ...place, rights }, keys))
      : await scope.writer.run('import-keys', args, scope.actor)
  return { ...judged, failed: [...unread, ...judged.failed].sort((a, b) => a.index - b.index) }
}

export const importKeysCommand: Command<ImportKeysArgs, ImportedKeys> = async (context, args) => {
  const { projectId } = args
  const rights = await authorize(context, projectId, 'keys:write')
  const { name } = await loadKeyShape({ db: context.db, projectId }, args.shape)
  const plan = await planImport({ db: context.db, projectId, rights }, args.keys)
  const report = reportOf(plan)
  if (plan.fresh.length === 0) return report
  await requireRoom(context, 'keys', { projectId, places: plan.fresh.length })
  await insertImported(context, { projectId, shape: name, keys: plan.fresh })
  await context.emit(projectId, { type: 'import', shape: name, count: report.imported })
  await context.audit({
    projectId,
    action: 'key.import',
    target: name,
    detail: {
      imported: report.imported,
      exists: report.exists,
      failed: report.failed.length,
      // Proves what was in the batch to whoever has it, and tells nothing to others.
      batch: sha256(plan.fresh.map(({ secret }) => secret.digest).join('\n')),
    },
  })
  return report
}

function reportOf({ fresh, exists, faults }: ImportPlan): ImportedKeys {
  return { imported: fresh.length, exists, failed: [...faults] }
}

/** Writes the keys. Their place in the feed is the batch's (rule V4). */
async function insertImported(
  context: CommandContext,
  batch: {
    readonly projectId: string
    readonly shape: string
    readonly keys: readonly NewImportedKey[]
  },
): Promise<void> {
  const { projectId, shape, keys } = batch
  const pos = formatPosition(await context.position(projectId))
  const last = await lastNumber(context.db)
  const rows = keys.map(
    ({ key, createdAtMs, disabled }, index): KeyRow => ({
      ...key,
      number: last + 1 + index,
      pos,
      created_at_ms: createdAtMs,
      // Nothing was issued to it here that a disabled one would suspend: no snapshot need name it (snapshot.ts).
      changed_at_ms: createdAtMs,
      // Whoever brings keys in did not issue them: they count for the project, and for no caller.
      created_by: null,
      limits: key.limits ?? null,
      disabled: disabled ? 1 : 0,
      revoked_at_ms: null,
      revoke_reason: null,
      deleted_at_ms: null,
    }),
  )
  const secrets = keys.map(({ key, secret, createdAtMs, importedAs }, index) => ({
    ...secret,
    project_id: projectId,
    key_number: last + 1 + index,
    key_id: key.id,
    created_at_ms: createdAtMs,
    valid_until_ms: null,
    revoked_at_ms: null,
    shape,
    imported_as: importedAs,
  }))
  const usage = keys.flatMap(({ key, lastUsedAtMs }) =>
    lastUsedAtMs === null
      ? []
      : [{ key_id: key.id, last_used_at_ms: lastUsedAtMs, last_used_from: null, verifications: 0 }],
  )
  await insertRows(context.db, 'keys', rows)
  await insertRows(context.db, 'key_secrets', secrets)
  await insertRows(context.db, 'key_usage', usage)
}

/** Rows of a batch are not answered with their numbers: it gives them itself, which the one writer may. */
async function lastNumber(db: CommandContext['db']): Promise<number> {
  const { last } = await db
    .selectFrom('keys')
    .select(({ fn }) => fn.max('number').as('last'))
    .executeTakeFirstOrThrow()
  return last ?? 0
}
