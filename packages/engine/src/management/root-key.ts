import { CodedError } from '../coded-error.ts'
import type { Command, CommandContext } from '../commands/command.ts'
import { endKey } from '../keys/end-key.ts'
import { insertKey, type NewKey } from '../keys/insert-key.ts'
import { selectKeys } from '../keys/key.ts'
import { makeKeyText, type NewSecret } from '../keys/key-text.ts'
import type { ProjectsScope } from '../projects/projects-scope.ts'
import { type EngineParts, MANAGEMENT_PROJECT } from '../scope.ts'
import { Secret } from '../secret.ts'
import { newManagementKey } from './create-management-key.ts'
import { ROOT_GRANTS, VERBS } from './verbs.ts'

const ROOT_PREFIX = 'clv_root'

/** A root key on its way into the database: the writer thread never sees its text. */
export interface NewRootKey {
  readonly key: NewKey
  readonly secret: NewSecret
}

/** Makes a key that may do everything in every project (rule M1). */
export function makeRootKey(parts: Pick<EngineParts, 'clock' | 'random'>): {
  readonly root: NewRootKey
  readonly text: Secret
} {
  const { text, secret } = makeKeyText(ROOT_PREFIX, parts.random)
  const key = newManagementKey(parts, {
    name: 'root',
    prefix: ROOT_PREFIX,
    managedProjectId: null,
    power: { verbs: VERBS, grants: ROOT_GRANTS },
    expiresAtMs: null,
    ipAllow: null,
  })
  return { root: { key, secret }, text: new Secret(text) }
}

/** Writes a root key. Whether the caller may have one made is for the command to say. */
export async function insertRootKey(context: CommandContext, { key, secret }: NewRootKey): Promise<void> {
  await insertKey(context, key, secret)
  await context.audit({
    projectId: MANAGEMENT_PROJECT,
    action: 'management-key.create',
    target: key.id,
    detail: { name: key.name, locator: secret.locator, root: true },
  })
}

/**
 * Makes a new root key and ends every other one, with what was issued to it: for whoever has lost the root key, or
 * fears that somebody has found it. For the machine's owner alone, who can open the database anyway; no management
 * key may ask for it.
 */
export async function resetRootKey(scope: ProjectsScope): Promise<Secret> {
  const { root, text } = makeRootKey(scope)
  await scope.writer.run('reset-root-key', root, scope.actor)
  return text
}

export const resetRootKeyCommand: Command<NewRootKey, null> = async (context, root) => {
  if (context.actor.kind === 'management-key') {
    throw new CodedError(
      'forbidden',
      'The root key is reset on the machine that holds the data, and there alone.',
    )
  }
  const roots = await selectKeys(context.db, {
    kind: 'management',
    projectId: MANAGEMENT_PROJECT,
    boundTo: null,
  })
    .where('keys.managed_project_id', 'is', null)
    .where('keys.revoked_at_ms', 'is', null)
    .execute()
  for (const key of roots) {
    await endKey(context, key, { reason: 'root key reset', keepIssued: false })
    await context.audit({
      projectId: MANAGEMENT_PROJECT,
      action: 'management-key.revoke',
      target: key.id,
      detail: { reason: 'root key reset', keepIssued: false },
    })
  }
  await insertRootKey(context, root)
  return null
}
