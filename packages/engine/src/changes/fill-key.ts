import {
  type KeyFill,
  type KeyIdentity,
  type KeyRecord,
  parsePosition,
  type RevocationRule,
  RevocationRules,
} from '@claviger/verify'
import type { Kysely } from 'kysely'
import { isOfFormerEpoch } from '../backup/suspension.ts'
import { CodedError } from '../coded-error.ts'
import { parseLimits } from '../limits/limits-column.ts'
import { powerOf } from '../management/power.ts'
import { KINDS_FOR_KEYS } from '../revocation/killed-keys.ts'
import { readRule } from '../revocation/rule-row.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import type { KeyFillTable, Schema } from '../storage/schema.ts'
import { placesOf } from './fill-places.ts'

/**
 * Looks a key of the project up by the digest of its text, for a verifier. What the answer says is the state at its
 * position (rule F2), because head, key, secret and the rules that aim at the key come from one statement.
 *
 * It is the same statement whether the digest is unknown, another project's, a revoked key's or a good one's, and it reads
 * the same pages of keys, one place in `key_fills`: the time of an answer does not tell them apart.
 */
export async function fillKey(
  reader: Kysely<Schema>,
  values: { readonly projectId: string; readonly digest: string },
): Promise<KeyFill> {
  const { first: firstPlace, last: lastPlace } = placesOf(values)
  const rows = await fillQuery.execute(reader, { ...values, firstPlace, lastPlace })
  const [first] = rows
  if (first === undefined) throw new CodedError('not_found', 'There is no such project.')
  return { position: { epoch: first.epoch, number: first.head }, key: readKey(first, rows) }
}

/** One row for each rule that aims at the key; one row in all when there is none, or no such key. */
const fillQuery = new PreparedQuery(
  (db, parameter: Parameter<{ projectId: string; digest: string; firstPlace: number; lastPlace: number }>) =>
    db
      .selectFrom('projects')
      .innerJoin('installation', (join) => join.on('installation.id', '=', 1))
      .leftJoin('key_fills', (join) =>
        join
          .on('key_fills.place', '>=', parameter('firstPlace'))
          .on('key_fills.place', '<=', parameter('lastPlace'))
          .on('key_fills.digest', '=', parameter('digest'))
          .onRef('key_fills.project_id', '=', 'projects.id'),
      )
      .leftJoin('revocations', (join) =>
        join
          .onRef('revocations.project_id', '=', 'projects.id')
          .on('revocations.issuer', '=', '')
          // These two bound what is read by the index; which pairs of them aim at the key is the verifier's decision.
          .on('revocations.kind', 'in', KINDS_FOR_KEYS)
          .on((eb) =>
            eb('revocations.target', 'in', [
              eb.val(''),
              eb.ref('key_fills.subject'),
              eb.ref('key_fills.key_id'),
            ]),
          )
          .on('revocations.lifted_at_ms', 'is', null)
          .on((eb) => eb.or([eb('revocations.only', 'is', null), eb('revocations.only', '=', 'keys')])),
      )
      .where('projects.id', '=', parameter('projectId'))
      .select([
        'projects.epoch',
        'projects.head',
        'installation.suspended',
        'key_fills.secret_valid_until_ms',
        'key_fills.secret_revoked_at_ms',
        'key_fills.key_id',
        'key_fills.subject',
        'key_fills.roles',
        'key_fills.permissions',
        'key_fills.scopes',
        'key_fills.metadata',
        'key_fills.limits',
        'key_fills.created_at_ms',
        'key_fills.pos',
        'key_fills.expires_at_ms',
        'key_fills.not_before_ms',
        'key_fills.ip_allow',
        'key_fills.disabled',
        'key_fills.revoked_at_ms',
        'key_fills.deleted_at_ms',
        'key_fills.managed_project_id',
        'key_fills.verbs',
        'key_fills.grants',
        'revocations.id as rule_id',
        'revocations.kind as rule_kind',
        'revocations.target as rule_target',
        'revocations.only as rule_only',
        'revocations.ban as rule_ban',
        'revocations.epoch as rule_epoch',
        'revocations.number as rule_number',
        'revocations.issued_before_ms as rule_issued_before_ms',
      ])
      .$castTo<FillRow>(),
)

/** What is read of a secret and its key. */
type KeyColumns = Omit<KeyFillTable, 'place' | 'digest' | 'project_id' | 'key_number'>

/** What is read of a rule that aims at the key. */
interface RuleColumns {
  readonly rule_id: string
  readonly rule_kind: string
  readonly rule_target: string
  readonly rule_only: string | null
  readonly rule_ban: number
  readonly rule_epoch: string
  readonly rule_number: number
  readonly rule_issued_before_ms: number | null
}

/** The columns of a joined row are null together. */
type FillRow = { readonly epoch: string; readonly head: number; readonly suspended: string | null } & (
  | KeyColumns
  | { readonly key_id: null }
) &
  (RuleColumns | { readonly rule_id: null })

function readKey(row: FillRow, rows: readonly FillRow[]): KeyRecord | null {
  // The digest is unknown, or of a key of another project.
  if (row.key_id === null) return null
  const pos = parsePosition(row.pos)
  if (pos === undefined) throw new TypeError(`the key ${row.key_id} has no position`)
  const identity = { id: row.key_id, subject: row.subject, pos, createdAtMs: row.created_at_ms }
  const ended = row.revoked_at_ms !== null || row.deleted_at_ms !== null
  const { verbs, grants } = powerOf(row)
  return {
    ...identity,
    roles: JSON.parse(row.roles),
    permissions: JSON.parse(row.permissions),
    scopes: row.scopes === null ? null : JSON.parse(row.scopes),
    metadata: JSON.parse(row.metadata),
    expiresAtMs: row.expires_at_ms,
    notBeforeMs: row.not_before_ms,
    ipAllow: row.ip_allow === null ? null : JSON.parse(row.ip_allow),
    disabled: row.disabled !== 0,
    ...(row.suspended !== null && isOfFormerEpoch(row, row.epoch) ? { suspended: true } : {}),
    revoked: ended || isKilled(identity, rows),
    secret: {
      current: row.secret_valid_until_ms === null,
      revoked: row.secret_revoked_at_ms !== null,
      validUntilMs: row.secret_valid_until_ms,
    },
    ...(row.limits === null ? {} : { limits: parseLimits(row.limits) }),
    ...(row.verbs === null ? {} : { management: { project: row.managed_project_id, verbs, grants } }),
  }
}

/** Whether one of the rules kills the key (rules V1 to V4): decided as every verifier decides it. */
function isKilled(key: KeyIdentity, rows: readonly FillRow[]): boolean {
  if (rows.every(({ rule_id: ruleId }) => ruleId === null)) return false
  // A key's position was taken in this database, so its epoch is one of the project's.
  const rules = new RevocationRules(new Set([key.pos.epoch]))
  for (const row of rows) {
    if (row.rule_id !== null) rules.add(readAimedRule(row))
  }
  return rules.killsKey(key)
}

function readAimedRule(row: RuleColumns): RevocationRule {
  return readRule({
    id: row.rule_id,
    kind: row.rule_kind,
    target: row.rule_target,
    issuer: '',
    only: row.rule_only,
    ban: row.rule_ban,
    epoch: row.rule_epoch,
    number: row.rule_number,
    issued_before_ms: row.rule_issued_before_ms,
    tokens_until_ms: null,
  })
}
