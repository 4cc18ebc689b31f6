import { sha256 } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'
import type { Command, CommandContext } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize, authorizeRead, requireGrants } from '../management/authorize.ts'
import { type GivenRights, heldPermissions } from '../roles/role-permissions.ts'
import { formatTime } from '../time.ts'
import { endSession } from './end-session.ts'
import { type Judgement, judgeRefresh } from './judge-refresh.ts'
import { type PresentedToken, presentToken, thinChain } from './refresh-chain.ts'
import { checkRefreshToken } from './refresh-token.ts'
import { liveSessionRights, type SessionRow } from './session.ts'
import { ClientAddress, checkClientAddress, Device, RefreshToken } from './session-input.ts'
import type { SessionScope, SessionTokens } from './session-tokens.ts'
import { requireSameRights, signSessionToken } from './sign-session-token.ts'

export const RefreshSessionInput = Type.Object(
  {
    refreshToken: RefreshToken,
    device: Type.Optional(Device),
    ip: Type.Optional(ClientAddress),
  },
  { additionalProperties: false },
)
export type RefreshSessionInput = Static<typeof RefreshSessionInput>

interface RefreshSessionArgs extends PresentedToken {
  readonly successorDigest: string
  /** The end of the access token that is handed out if this succeeds; null: it was a reuse already when that was due. */
  readonly tokenUntilMs: number | null
  /** What that token was signed with; null: as above. */
  readonly signed: GivenRights | null
  /** Null: as before. */
  readonly device: string | null
  readonly ip: string | null
}

type RefreshSessionResult =
  | { readonly reused: true }
  | { readonly reused: false; readonly refreshExpiresAt: string }

/** What ends a session whose refresh token came back. */
const REUSE_REASON = 'refresh token reused'

/**
 * Exchanges a refresh token for its successor and a fresh access token. Whoever lost the answer asks again within the
 * grace and gets the very same successor (rule S1): 50 at once do, too. A token that comes back later ends the session
 * and all that was issued in it, and is answered `refresh_token_reused`.
 *
 * What the session's tokens hold must be within the caller's grants, for it is the caller who gets them (rule M3).
 */
export async function refreshSession(scope: SessionScope, input: unknown): Promise<SessionTokens> {
  await authorizeRead(scope, 'sessions:write')
  const fields = parseInput(RefreshSessionInput, input)
  const text = checkRefreshToken(fields.refreshToken)
  const ip = checkClientAddress(fields.ip)
  const presented = await presentToken(scope, text)
  const nowMs = scope.clock.nowMs()
  const { session, step } = await judgeRefresh({ db: scope.reader, nowMs }, presented)
  // No access token outlives a session that is left idle from now on.
  const untilMs = Math.min(session.expires_at_ms, nowMs + session.idle_seconds * 1000)
  const accessToken = step === 'reuse' ? null : await signSessionToken(scope, session, untilMs)
  const refreshToken = scope.refreshTokens.successor(scope.projectId, text)
  const args: RefreshSessionArgs = {
    ...presented,
    successorDigest: sha256(refreshToken),
    tokenUntilMs: accessToken === null ? null : Date.parse(accessToken.expiresAt),
    signed: accessToken === null ? null : accessToken.given,
    device: fields.device ?? null,
    ip,
  }
  const result = await scope.writer.run('refresh-session', args, scope.actor)
  if (result.reused || accessToken === null) {
    throw new CodedError(
      'refresh_token_reused',
      'The refresh token was used before: two hold the session, and one of them stole it. The session was ended. Log in again.',
    )
  }
  scope.issued.note(scope, 'refresh', session.subject)
  return {
    id: session.id,
    accessToken: accessToken.credential,
    refreshToken,
    expiresAt: accessToken.expiresAt,
    refreshExpiresAt: result.refreshExpiresAt,
  }
}

/** A reuse is no failure of the command: what it takes away must be stored. */
export const refreshSessionCommand: Command<RefreshSessionArgs, RefreshSessionResult> = async (
  context,
  args,
) => {
  const { projectId, tokenUntilMs, signed } = args
  const rights = await authorize(context, projectId, 'sessions:write')
  const { session, step } = await judgeRefresh(context, args)
  if (step === 'reuse' || tokenUntilMs === null || signed === null) {
    await endSession(context, session, REUSE_REASON)
    const { device, ip } = args
    await context.audit({
      projectId,
      action: 'session.reuse',
      target: session.id,
      detail: { subject: session.subject, device, ip },
    })
    return { reused: true }
  }
  const place = { db: context.db, projectId }
  const given = await liveSessionRights(place, session)
  requireSameRights(signed, given)
  requireGrants(rights, await heldPermissions(place, given), 'the session')

  const refreshUntilMs = step === 'rotate' ? await rotate(context, session, args) : session.refresh_until_ms
  await context.db
    .updateTable('sessions')
    .set({
      tokens_until_ms: Math.max(session.tokens_until_ms, tokenUntilMs),
      device: args.device ?? session.device,
      ip: args.ip ?? session.ip,
    })
    .where('id', '=', session.id)
    .execute()
  await context.audit({
    projectId,
    action: 'session.refresh',
    target: session.id,
    detail: { step, device: args.device, ip: args.ip },
  })
  return { reused: false, refreshExpiresAt: formatTime(refreshUntilMs) }
}

/** Puts the successor in the place of the presented token, and answers when it ends. */
async function rotate(
  { db, nowMs }: CommandContext,
  session: Judgement['session'],
  { digest, successorDigest }: RefreshSessionArgs,
): Promise<number> {
  const generation = session.generation + 1
  const refreshUntilMs = Math.min(nowMs + session.idle_seconds * 1000, session.expires_at_ms)
  await db.updateTable('refresh_tokens').set({ replaced_at_ms: nowMs }).where('digest', '=', digest).execute()
  await db
    .insertInto('refresh_tokens')
    .values({ digest: successorDigest, session_id: session.id, generation, replaced_at_ms: null })
    .execute()
  const changed: Partial<SessionRow> = {
    generation,
    refreshed_at_ms: nowMs,
    refresh_until_ms: refreshUntilMs,
  }
  await db.updateTable('sessions').set(changed).where('id', '=', session.id).execute()
  await thinChain(db, { id: session.id, generation })
  return refreshUntilMs
}
