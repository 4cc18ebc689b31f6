import type { RevocationKind, RevocationRule } from '@claviger/verify'
import type { Selectable } from 'kysely'
import { CodedError } from '../coded-error.ts'
import type { RightsPlace } from '../roles/role-permissions.ts'
import type { RevocationTable } from '../storage/schema.ts'

export type RuleRow = Selectable<RevocationTable>

/**
 * What `kind` says of the record of a secret's revocation. It is no rule: no verifier is sent it, because the secret's
 * own row says it to whoever looks the key up (rule V6).
 */
export const SECRET_KIND = 'secret'

/**
 * What `kind` says of the record of a signing key's emergency retirement. It is no rule either: verifiers are told that
 * the key is retired, and accept nothing that it signed.
 */
export const SIGNING_KEY_KIND = 'signing-key'

/** A rule as its row says it. Not for rows of {@link SECRET_KIND} and {@link SIGNING_KEY_KIND}. */
export function readRule(
  row: Omit<RuleRow, 'project_id' | 'reason' | 'created_at_ms' | 'lifted_at_ms'>,
): RevocationRule {
  return {
    id: row.id,
    kind: row.kind as RevocationKind,
    target: row.target,
    issuer: row.issuer === '' ? null : row.issuer,
    only: row.only as 'keys' | 'tokens' | null,
    ban: row.ban !== 0,
    position: { epoch: row.epoch, number: row.number },
    issuedBeforeMs: row.issued_before_ms,
    tokensUntilMs: row.tokens_until_ms,
  }
}

/** Throws `not_found`. */
export async function loadRule({ db, projectId }: RightsPlace, id: string): Promise<RuleRow> {
  const row = await db
    .selectFrom('revocations')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (row === undefined) throw noRevocation()
  return row
}

export function noRevocation(): CodedError {
  return new CodedError('not_found', 'The project has no such revocation.')
}
