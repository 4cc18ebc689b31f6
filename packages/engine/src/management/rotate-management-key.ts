import type { Command } from '../commands/command.ts'
import { loadLiveKey } from '../keys/key.ts'
import { makeKeyText } from '../keys/key-text.ts'
import { readOverlapSeconds } from '../keys/rotate-key.ts'
import { rotateSecrets, type SecretRotation } from '../keys/rotate-secrets.ts'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import { formatTime } from '../time.ts'
import { authorize, authorizeRead, managementPlace, requirePower } from './authorize.ts'
import {
  loadManagementKeyView,
  type ManagementKeyView,
  type RotatedManagementKey,
} from './management-key-view.ts'
import { powerOf } from './power.ts'

interface RotateManagementKeyArgs extends SecretRotation {
  readonly selectedProjectId: string
  readonly id: string
}

type RotateManagementKeyResult = ManagementKeyView & { readonly previousExpiresAt: string }

/**
 * Gives a management key another text under the same identity. Whoever gets the text gets the key's power, so the caller
 * needs its verbs and grants (rule M3). A key that rotates itself needs an overlap of 60 seconds or more (rule C7).
 */
export async function rotateManagementKey(
  scope: Scope,
  id: string,
  input: unknown = {},
): Promise<RotatedManagementKey> {
  const rights = await authorizeRead(scope, 'management-keys:write')
  const overlapSeconds = readOverlapSeconds(input)
  const key = await loadLiveKey(scope.reader, managementPlace(rights), id)
  const { text, secret } = makeKeyText(key.prefix, scope.random)
  const args = { selectedProjectId: scope.projectId, id, secret, overlapSeconds }
  return scope.writer.run('rotate-management-key', args, scope.actor, { credential: text })
}

export const rotateManagementKeyCommand: Command<RotateManagementKeyArgs, RotateManagementKeyResult> = async (
  context,
  args,
) => {
  const rights = await authorize(context, args.selectedProjectId, 'management-keys:write')
  const key = await loadLiveKey(context.db, managementPlace(rights), args.id)
  requirePower(rights, powerOf(key))

  const endsAtMs = await rotateSecrets(context, key, args)
  const previousExpiresAt = formatTime(endsAtMs)
  await context.audit({
    projectId: MANAGEMENT_PROJECT,
    action: 'management-key.rotate',
    target: args.id,
    detail: { locator: args.secret.locator, previousExpiresAt },
  })
  const rotated = { ...key, changed_at_ms: context.nowMs }
  return { ...(await loadManagementKeyView(context.db, rotated, context.nowMs)), previousExpiresAt }
}
