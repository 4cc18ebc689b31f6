import Type, { type Static } from 'typebox'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize, authorizeRead, requireGrants } from '../management/authorize.ts'
import { heldPermissions } from '../roles/role-permissions.ts'
import type { Scope } from '../scope.ts'
import { formatTime, Time } from '../time.ts'
import { endIssued } from './end-key.ts'
import { givenRights, loadLiveKey } from './key.ts'
import { makeKeyText } from './key-text.ts'
import { CreatedKey, type KeyView, loadKeyView } from './key-view.ts'
import { rotateSecrets, type SecretRotation } from './rotate-secrets.ts'

const DEFAULT_OVERLAP_SECONDS = 86_400
const MAX_OVERLAP_SECONDS = 31_536_000

export const RotateKeyInput = Type.Object(
  {
    overlapSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_OVERLAP_SECONDS,
        description: `How long the former secret still works; ${DEFAULT_OVERLAP_SECONDS} if absent, 0: not at all. Never beyond the key's own expiry.`,
      }),
    ),
  },
  { additionalProperties: false },
)
export type RotateKeyInput = Static<typeof RotateKeyInput>

export const RotatedKey = Type.Object({ ...CreatedKey.properties, previousExpiresAt: Time })
export type RotatedKey = Static<typeof RotatedKey>

interface RotateKeyArgs extends SecretRotation {
  readonly projectId: string
  readonly id: string
}

type RotateKeyResult = KeyView & { readonly previousExpiresAt: string }

/**
 * Gives a key another text under the same identity; the former one works on for the overlap. Whoever gets the text
 * gets the key's rights, so the caller's grants must cover them (rule M3). Throws `revoked` for a revoked key.
 */
export async function rotateKey(scope: Scope, id: string, input: unknown = {}): Promise<RotatedKey> {
  await authorizeRead(scope, 'keys:write')
  const overlapSeconds = readOverlapSeconds(input)
  const key = await loadLiveKey(scope.reader, { kind: 'customer', projectId: scope.projectId }, id)
  const { text, secret } = makeKeyText(key.prefix, scope.random)
  const args = { projectId: scope.projectId, id, secret, overlapSeconds }
  return scope.writer.run('rotate-key', args, scope.actor, { credential: text })
}

export const rotateKeyCommand: Command<RotateKeyArgs, RotateKeyResult> = async (context, args) => {
  const { projectId, id } = args
  const rights = await authorize(context, projectId, 'keys:write')
  const key = await loadLiveKey(context.db, { kind: 'customer', projectId }, id)
  requireGrants(rights, await heldPermissions({ db: context.db, projectId }, givenRights(key)), 'the key')

  // Where the former text ends at once, so does what was derived from it; an overlap outlives the usual token.
  if (args.overlapSeconds === 0) await endIssued(context, key, 'The key was rotated without an overlap.')
  const endsAtMs = await rotateSecrets(context, key, args)
  const previousExpiresAt = formatTime(endsAtMs)
  await context.audit({
    projectId,
    action: 'key.rotate',
    target: id,
    detail: { locator: args.secret.locator, previousExpiresAt },
  })
  const rotated = { ...key, changed_at_ms: context.nowMs }
  return { ...(await loadKeyView(context.db, rotated, context.nowMs)), previousExpiresAt }
}

export function readOverlapSeconds(input: unknown): number {
  return parseInput(RotateKeyInput, input).overlapSeconds ?? DEFAULT_OVERLAP_SECONDS
}
