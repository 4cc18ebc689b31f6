import { formatPosition, sha256 } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { TtlSeconds } from '../audiences/audience-input.ts'
import { requireRoom } from '../caps/require-room.ts'
import { CodedError } from '../coded-error.ts'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize, authorizeRead, requireGrants } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import { newId } from '../random.ts'
import { checkScopes, distinct, PermissionList, RoleNameList, ScopeList } from '../roles/rights-input.ts'
import { type GivenRights, heldPermissions, requireRoles } from '../roles/role-permissions.ts'
import { SubjectId } from '../subjects/subject-input.ts'
import { formatTime } from '../time.ts'
import { clientIdOf } from '../tokens/client-id.ts'
import { CustomClaims, checkClaims } from '../tokens/custom-claims.ts'
import type { FactsAt } from '../tokens/mint-facts.ts'
import { Algorithm, Audiences, DEFAULT_TTL_SECONDS, listOf } from '../tokens/token-input.ts'
import { liveSessionRights, ownRights, type SessionRow } from './session.ts'
import { ClientAddress, checkClientAddress, Device } from './session-input.ts'
import { loadSessionStates } from './session-state.ts'
import type { SessionScope, SessionTokens } from './session-tokens.ts'
import { requireSameRights, signSessionToken } from './sign-session-token.ts'

const DAY_SECONDS = 86_400
const DEFAULT_LIFE_SECONDS = 30 * DAY_SECONDS
const MAX_LIFE_SECONDS = 366 * DAY_SECONDS
const DEFAULT_IDLE_SECONDS = 7 * DAY_SECONDS

export const CreateSessionInput = Type.Object(
  {
    subject: SubjectId,
    audience: Audiences,
    roles: Type.Optional(RoleNameList),
    permissions: Type.Optional(PermissionList),
    scopes: Type.Optional(ScopeList),
    claims: Type.Optional(CustomClaims),
    algorithm: Type.Optional(Algorithm),
    accessTtlSeconds: Type.Optional(
      Type.Integer({
        ...TtlSeconds,
        description: `How long an access token lives; the audience's default if absent, else ${DEFAULT_TTL_SECONDS}.`,
      }),
    ),
    ttlSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_LIFE_SECONDS,
        description: `How long the session lives, however often it is refreshed; ${DEFAULT_LIFE_SECONDS} if absent.`,
      }),
    ),
    idleSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_LIFE_SECONDS,
        description: `How long it lives without a refresh; ${DEFAULT_IDLE_SECONDS} if absent.`,
      }),
    ),
    device: Type.Optional(Device),
    ip: Type.Optional(ClientAddress),
  },
  { additionalProperties: false },
)
export type CreateSessionInput = Static<typeof CreateSessionInput>

/** What of a new session's row its command does not find out itself. */
type NewSession = Omit<
  SessionRow,
  | 'generation'
  | 'created_at_ms'
  | 'refreshed_at_ms'
  | 'refresh_until_ms'
  | 'expires_at_ms'
  | 'ended_at_ms'
  | 'end_reason'
>

interface CreateSessionArgs {
  readonly session: NewSession
  readonly lifeSeconds: number
  /** Of the first refresh token. */
  readonly digest: string
  /** What the access token was signed with. */
  readonly signed: GivenRights
}

/**
 * Begins a session for a subject that the caller has logged in. Without roles and permissions it takes those of the
 * subject's record, as they are at each refresh (rule R6). Handing out rights needs grants that cover them (rule M3).
 *
 * Its id and its refresh token are made here, and never taken from a caller: nobody can know either beforehand. Throws
 * `suspended` for a subject that is disabled, and `revoked` for one that is banned.
 */
export async function createSession(scope: SessionScope, input: unknown): Promise<SessionTokens> {
  requireCustomerProject(scope)
  const facts = await scope.mintFacts.current(scope)
  const nowMs = scope.clock.nowMs()
  await authorizeRead(scope, 'sessions:write')
  const fields = parseInput(CreateSessionInput, input)
  const lifeSeconds = fields.ttlSeconds ?? DEFAULT_LIFE_SECONDS
  const plain = await newSession(scope, fields, facts)
  const untilMs = nowMs + Math.min(lifeSeconds, plain.idle_seconds) * 1000
  const accessToken = await signSessionToken(scope, plain, untilMs)
  const refreshToken = scope.refreshTokens.first(scope.keyPrefix)
  const session = { ...plain, tokens_until_ms: Date.parse(accessToken.expiresAt) }
  const args = { session, lifeSeconds, digest: sha256(refreshToken), signed: accessToken.given }
  const tokens = await scope.writer.run('create-session', args, scope.actor, {
    accessToken: accessToken.credential,
    refreshToken,
  })
  scope.issued.note(scope, 'session', session.subject)
  return tokens
}

export const createSessionCommand: Command<
  CreateSessionArgs,
  Omit<SessionTokens, 'accessToken' | 'refreshToken'>
> = async (context, { session, lifeSeconds, digest, signed }) => {
  const { db, nowMs } = context
  const { project_id: projectId, idle_seconds: idleSeconds } = session
  const rights = await authorize(context, projectId, 'sessions:write')
  const place = { db, projectId }
  await requireRoles(place, ownRights(session)?.roles ?? [])
  const given = await liveSessionRights(place, session)
  requireSameRights(signed, given)
  requireGrants(rights, await heldPermissions(place, given), 'the session')

  const row: SessionRow = {
    ...session,
    generation: 1,
    created_at_ms: nowMs,
    refreshed_at_ms: nowMs,
    refresh_until_ms: nowMs + Math.min(idleSeconds, lifeSeconds) * 1000,
    expires_at_ms: nowMs + lifeSeconds * 1000,
    ended_at_ms: null,
    end_reason: null,
  }
  const stateOf = await loadSessionStates({ ...place, nowMs }, [row])
  requireBirth(stateOf(row))
  await requireRoom(context, 'sessionsPerSubject', { projectId, subject: row.subject })
  await db.insertInto('sessions').values(row).execute()
  await db
    .insertInto('refresh_tokens')
    .values({ digest, session_id: row.id, generation: 1, replaced_at_ms: null })
    .execute()
  await context.audit({
    projectId,
    action: 'session.create',
    target: row.id,
    detail: {
      subject: row.subject,
      ...given,
      isOwn: ownRights(session) !== null,
      device: row.device,
      ip: row.ip,
      expiresAtMs: row.expires_at_ms,
    },
  })
  return {
    id: row.id,
    expiresAt: formatTime(row.tokens_until_ms),
    refreshExpiresAt: formatTime(row.refresh_until_ms),
  }
}

/** What would be dead on arrival is not begun: whoever logs somebody in must learn that it is no use. */
function requireBirth(state: ReturnType<Awaited<ReturnType<typeof loadSessionStates>>>): void {
  if (state === 'ended') {
    throw new CodedError(
      'revoked',
      'A ban or a revocation concerns the subject or its client. Lift the ban first.',
    )
  }
  if (state === 'suspended') {
    throw new CodedError('suspended', 'The subject is disabled. Enable it first.')
  }
}

async function newSession(
  scope: SessionScope,
  fields: CreateSessionInput,
  facts: FactsAt,
): Promise<NewSession> {
  const audiences = listOf(fields.audience)
  const { ttlSeconds } = await facts.defaults(audiences)
  const hasOwn = fields.roles !== undefined || fields.permissions !== undefined
  const scopes = checkScopes(fields.scopes ?? null)
  return {
    id: newId('ses', scope.clock.nowMs(), scope.random),
    project_id: scope.projectId,
    subject: fields.subject,
    client_id: clientIdOf(scope.actor),
    audience: JSON.stringify(audiences),
    roles: hasOwn ? JSON.stringify(distinct(fields.roles ?? [])) : null,
    permissions: hasOwn ? JSON.stringify(distinct(fields.permissions ?? [])) : null,
    scopes: scopes === null ? null : JSON.stringify(scopes),
    claims: JSON.stringify(checkClaims(fields.claims)),
    algorithm: fields.algorithm ?? null,
    access_ttl_seconds: fields.accessTtlSeconds ?? ttlSeconds ?? DEFAULT_TTL_SECONDS,
    idle_seconds: fields.idleSeconds ?? DEFAULT_IDLE_SECONDS,
    device: fields.device ?? null,
    ip: checkClientAddress(fields.ip),
    pos: formatPosition(facts.position),
    tokens_until_ms: 0,
  }
}
