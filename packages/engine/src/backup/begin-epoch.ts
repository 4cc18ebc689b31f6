import type { Command, CommandContext } from '../commands/command.ts'
import { endKey } from '../keys/end-key.ts'
import { selectKeys } from '../keys/key.ts'
import { insertRootKey, type NewRootKey } from '../management/root-key.ts'
import { addRule, tokensUntilMs } from '../revocation/add-rule.ts'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import { endSigningKey } from '../signing/change-status.ts'
import { insertSigningKey, type NewSigningKey } from '../signing/make-signing-key.ts'
import { PUBLIC_COLUMNS } from '../signing/ring.ts'

export interface EpochArgs {
  /** The new epoch of each project, by its id. */
  readonly epochs: Readonly<Record<string, string>>
  /** One for each ring that had a key which signed. */
  readonly signingKeys: readonly NewSigningKey[]
  /** The `kid`s of the keyring that stays, where one was begun before. */
  readonly keptSigningKeys: readonly string[]
  /** Takes the place of every other; null: those of the backup stay. */
  readonly root: NewRootKey | null
  readonly audit: Readonly<Record<string, unknown>>
}

/**
 * What a restore changes besides replaying (rules B1, E1): every project begins a new epoch and a new keyring, and every
 * session and token ends. The former root keys end where they may have been taken away.
 */
export const beginEpochCommand: Command<EpochArgs, null> = async (context, args) => {
  const { db, nowMs } = context
  const { epochs, keptSigningKeys } = args
  for (const [projectId, epoch] of Object.entries(epochs)) {
    await db.updateTable('projects').set({ epoch, head: 0 }).where('id', '=', projectId).execute()
    await db.insertInto('epochs').values({ project_id: projectId, epoch, began_at_ms: nowMs }).execute()
    if (projectId !== MANAGEMENT_PROJECT) await endTokens(context, projectId)
  }
  if (Object.keys(epochs).length > 0) await endSessions(context)
  await retireOthers(context, keptSigningKeys)
  for (const key of args.signingKeys) await insertSigningKey(context, key)
  if (args.root !== null) {
    await endRootKeys(context)
    await insertRootKey(context, args.root)
  }
  await context.audit({
    projectId: MANAGEMENT_PROJECT,
    action: 'installation.restore',
    target: 'installation',
    detail: args.audit,
  })
  return null
}

const REASON = 'restored from a backup'

async function endTokens(context: CommandContext, projectId: string): Promise<void> {
  await addRule(context, projectId, {
    kind: 'everything',
    target: '',
    issuer: null,
    only: 'tokens',
    ban: false,
    issuedBeforeMs: null,
    tokensUntilMs: tokensUntilMs(context.nowMs),
    reason: REASON,
  })
}

async function endSessions({ db, nowMs }: CommandContext): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ ended_at_ms: nowMs, end_reason: REASON })
    .where('ended_at_ms', 'is', null)
    .execute()
}

/** Which of the former signing keys was stolen since the backup, or has signed since, nobody knows. */
async function retireOthers(context: CommandContext, kept: readonly string[]): Promise<void> {
  const keys = await context.db
    .selectFrom('signing_keys')
    .select(PUBLIC_COLUMNS)
    .where('status', '!=', 'retired')
    .execute()
  for (const key of keys) if (!kept.includes(key.id)) await endSigningKey(context, key)
}

async function endRootKeys(context: CommandContext): Promise<void> {
  const place = { kind: 'management', projectId: MANAGEMENT_PROJECT, boundTo: null } as const
  const roots = await selectKeys(context.db, place)
    .where('keys.managed_project_id', 'is', null)
    .where('keys.revoked_at_ms', 'is', null)
    .execute()
  for (const key of roots) await endKey(context, key, { reason: REASON, keepIssued: false })
}
