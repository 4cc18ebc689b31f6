import { createHash } from 'node:crypto'
import { MAX_TOKEN_LIFE_SECONDS, type RevocationKind, type RevocationRule } from '@claviger/verify'
import type { CommandContext } from '../commands/command.ts'
import type { SECRET_KIND, SIGNING_KEY_KIND } from './rule-row.ts'

/** What a revocation rule is made of; its id and position come from the command that makes it. */
export interface NewRule extends Omit<RevocationRule, 'id' | 'position'> {
  readonly reason: string | null
}

/** A revocation as it is stored: a rule, or the record of a secret or a signing key that was ended (rules V1, V6). */
interface RevocationRecord extends Omit<NewRule, 'kind'> {
  readonly kind: RevocationKind | typeof SECRET_KIND | typeof SIGNING_KEY_KIND
}

export const DAY_MS = 86_400_000

/**
 * Until when a rule made now can meet a token (rule V7): the longest life of one that was minted just before,
 * and a day. A ban has no such end, and takes null.
 */
export function tokensUntilMs(nowMs: number): number {
  return nowMs + MAX_TOKEN_LIFE_SECONDS * 1000 + DAY_MS
}

/**
 * Adds a rule at the place of the running command's change, and tells it (rules V1, V2). Whatever a command
 * reads or writes besides, what it revokes was issued before that place, and what is issued later is not.
 */
export async function addRule(
  context: CommandContext,
  projectId: string,
  rule: NewRule,
): Promise<RevocationRule> {
  const { tokensUntilMs: untilMs } = rule
  const outliving = untilMs === null ? null : Math.max(untilMs, await importedUntilMs(context, projectId))
  const record = await recordRevocation(context, projectId, { ...rule, tokensUntilMs: outliving })
  const added = { ...record, kind: rule.kind }
  await context.emit(projectId, { type: 'revocation', rule: added })
  return added
}

/**
 * Tokens that were signed elsewhere with a key that was then imported may live longer than ours: until when a rule can
 * meet one of them (rule V7). 0: there are none.
 */
async function importedUntilMs({ db }: CommandContext, projectId: string): Promise<number> {
  const { lastMs } = await db
    .selectFrom('signing_keys')
    .select(({ fn }) => fn.max('tokens_until_ms').as('lastMs'))
    .where('project_id', '=', projectId)
    .where('status', '!=', 'retired')
    .executeTakeFirstOrThrow()
  return lastMs === null ? 0 : lastMs + DAY_MS
}

/** Writes the row of a revocation, and tells nobody: for a rule, and for the end of a secret or a signing key. */
export async function recordRevocation(
  context: CommandContext,
  projectId: string,
  { reason, ...revocation }: RevocationRecord,
): Promise<Omit<RevocationRecord, 'reason'> & Pick<RevocationRule, 'id' | 'position'>> {
  const position = await context.position(projectId)
  const id = revocationId(context, projectId, revocation)
  await context.db
    .insertInto('revocations')
    .values({
      id,
      project_id: projectId,
      kind: revocation.kind,
      target: revocation.target,
      issuer: revocation.issuer ?? '',
      only: revocation.only,
      ban: revocation.ban ? 1 : 0,
      epoch: position.epoch,
      number: position.number,
      issued_before_ms: revocation.issuedBeforeMs,
      tokens_until_ms: revocation.tokensUntilMs,
      reason,
      created_at_ms: context.nowMs,
      lifted_at_ms: null,
    })
    .execute()
  return { ...revocation, id, position }
}

/**
 * The id of a revocation: a UUIDv7 of the command's time whose other bits come from the command's own id, because one
 * command may make many rules (a root key's revocation: one in every project), and how many is known only in
 * its transaction, where no random byte is made (rule C1).
 */
function revocationId(
  context: CommandContext,
  projectId: string,
  { kind, target, issuer }: Pick<RevocationRecord, 'kind' | 'target' | 'issuer'>,
): string {
  const bytes = createHash('sha256')
    .update(JSON.stringify([context.commandId, projectId, kind, target, issuer]))
    .digest()
    .subarray(0, 16)
  bytes.writeUIntBE(context.nowMs, 0, 6)
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  return `rev_${bytes.toString('hex')}`
}
