import { parsePosition, RevocationRules } from '@claviger/verify'
import type { Kysely } from 'kysely'
import { readRule } from '../revocation/rule-row.ts'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import type { Schema } from '../storage/schema.ts'
import { OWN_ISSUERS } from '../subjects/subject-record.ts'
import type { SessionRow } from './session.ts'

export const SESSION_STATES = ['active', 'suspended', 'expired', 'ended'] as const

/**
 * - `ended`: for good, by itself or by a rule that kills what its subject, its client or everybody had (rule V2);
 * - `suspended`: its subject or its client is disabled (rules R6, V5);
 * - `expired`: its life is over, or it was idle for too long;
 * - `active`: none of these.
 */
export type SessionState = (typeof SESSION_STATES)[number]

/** What of a session its state depends on. */
export type StateOfSession = Pick<
  SessionRow,
  'id' | 'subject' | 'client_id' | 'pos' | 'created_at_ms' | 'refresh_until_ms' | 'ended_at_ms'
>

const KINDS = ['session', 'client', 'subject', 'everything']

/**
 * The states of sessions, all of one project, from the rows of this transaction: the same decision as a verifier makes of
 * their tokens. The first that holds in the order of the verdicts is the answer.
 */
export async function loadSessionStates(
  {
    db,
    projectId,
    nowMs,
  }: { readonly db: Kysely<Schema>; readonly projectId: string; readonly nowMs: number },
  sessions: readonly StateOfSession[],
): Promise<(session: StateOfSession) => SessionState> {
  if (sessions.length === 0) return () => 'ended'
  const subjects = [...new Set(sessions.map(({ subject }) => subject))]
  const clients = [...new Set(sessions.map(({ client_id }) => client_id))]
  const targets = ['', ...sessions.map(({ id }) => id), ...subjects, ...clients]
  const place = { db, projectId }
  const rules = await loadRules(place, targets)
  const disabledSubjects = await findDisabledSubjects(place, subjects)
  const disabledClients = await findDisabledClients(place, clients)

  return (session) => {
    const { id, subject, client_id: clientId } = session
    const isKilled = rules.killsToken({
      issuer: null,
      // No rule of kind `token` was loaded: a session dies with none of its tokens.
      tokenId: '',
      subject,
      clientId,
      sessionId: id,
      pos: parsePosition(session.pos) ?? null,
      issuedAtMs: session.created_at_ms,
      skewMs: 0,
    })
    if (session.ended_at_ms !== null || isKilled) return 'ended'
    if (disabledSubjects.has(subject) || disabledClients.has(clientId)) return 'suspended'
    return session.refresh_until_ms <= nowMs ? 'expired' : 'active'
  }
}

interface StatePlace {
  readonly db: Kysely<Schema>
  readonly projectId: string
}

async function loadRules(
  { db, projectId }: StatePlace,
  targets: readonly string[],
): Promise<RevocationRules> {
  const epochs = await db.selectFrom('epochs').select('epoch').where('project_id', '=', projectId).execute()
  const rows = await db
    .selectFrom('revocations')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('issuer', '=', '')
    .where('kind', 'in', KINDS)
    .where('target', 'in', targets)
    .where('lifted_at_ms', 'is', null)
    .execute()
  const rules = new RevocationRules(new Set(epochs.map(({ epoch }) => epoch)))
  for (const row of rows) rules.add(readRule(row))
  return rules
}

async function findDisabledSubjects(
  { db, projectId }: StatePlace,
  subjects: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('subjects')
    .select('subject')
    .where('project_id', '=', projectId)
    .where('issuer', '=', OWN_ISSUERS)
    .where('subject', 'in', subjects)
    .where('disabled', '=', 1)
    .execute()
  return new Set(rows.map(({ subject }) => subject))
}

async function findDisabledClients(
  { db, projectId }: StatePlace,
  clients: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('keys')
    .select('id')
    .where('id', 'in', clients)
    .where('project_id', 'in', [projectId, MANAGEMENT_PROJECT])
    .where('disabled', '=', 1)
    .execute()
  return new Set(rows.map(({ id }) => id))
}
