import { CodedError } from '../coded-error.ts'
import type { Command, CommandContext } from '../commands/command.ts'
import { authorize } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { loadKeyShape } from './key-shape.ts'

interface DeleteKeyShapeArgs {
  readonly projectId: string
  readonly name: string
}

/**
 * Deletes a key shape: texts of it are `malformed` from the next verification on. Throws `in_use` while a key lives that
 * is known by such a text, so that nobody is locked out by it; revoking and rotating take keys away.
 */
export async function deleteKeyShape(scope: Scope, name: string): Promise<void> {
  await scope.writer.run('delete-key-shape', { projectId: scope.projectId, name }, scope.actor)
}

export const deleteKeyShapeCommand: Command<DeleteKeyShapeArgs, null> = async (
  context,
  { projectId, name },
) => {
  await authorize(context, projectId, 'keys:write')
  await loadKeyShape({ db: context.db, projectId }, name)
  if (await isUsed(context, { projectId, name })) {
    throw new CodedError(
      'in_use',
      'Keys are in use that are known by a text of this shape; `GET /v1/keys?shape=…` lists them. Rotate them and let the overlap end, or revoke them, before you delete it.',
    )
  }
  await context.db
    .deleteFrom('key_shapes')
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .execute()
  await context.emit(projectId, { type: 'key-shape', name, shape: null })
  await context.audit({ projectId, action: 'key-shape.delete', target: name })
  return null
}

/** Whether a key that has not ended for good has a text of the shape that still works. */
async function isUsed(
  { db, nowMs }: CommandContext,
  { projectId, name }: DeleteKeyShapeArgs,
): Promise<boolean> {
  const user = await db
    .selectFrom('key_secrets')
    .innerJoin('keys', 'keys.id', 'key_secrets.key_id')
    .select('keys.id')
    .where('key_secrets.project_id', '=', projectId)
    .where('key_secrets.shape', '=', name)
    .where('key_secrets.revoked_at_ms', 'is', null)
    .where(({ eb, or }) =>
      or([eb('key_secrets.valid_until_ms', 'is', null), eb('key_secrets.valid_until_ms', '>', nowMs)]),
    )
    .where('keys.revoked_at_ms', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return user !== undefined
}
