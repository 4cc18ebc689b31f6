import type { Session, SessionPage, SessionTokens } from '@claviger/client'
import { printRecord, printTable } from './output.ts'

export const SESSION_STATES = ['active', 'suspended', 'expired', 'ended'] as const

export function printSessionTokens(tokens: SessionTokens): void {
  printRecord([
    ['session', tokens.id],
    ['access token', tokens.accessToken],
    ['expires', tokens.expiresAt],
    ['refresh token', tokens.refreshToken],
    ['expires', tokens.refreshExpiresAt],
  ])
}

export function printSession(session: Session): void {
  const fromRecord = "as the subject's record has them"
  printRecord([
    ['id', session.id],
    ['subject', session.subject],
    ['state', session.state],
    ['audience', session.audience],
    ['client', session.clientId],
    ['roles', session.roles ?? fromRecord],
    ['permissions', session.permissions ?? fromRecord],
    ['scopes', session.scopes ?? 'not narrowed'],
    ['device', session.device],
    ['address', session.ip],
    ['begun', session.createdAt],
    ['refreshed', session.refreshedAt],
    ['expires unused', session.refreshExpiresAt],
    ['expires', session.expiresAt],
    ...(session.endedAt === null
      ? []
      : [['ended', session.endedAt] as const, ['reason', session.endReason] as const]),
  ])
}

export function printSessions({ items, nextCursor }: SessionPage): void {
  printTable(
    ['ID', 'SUBJECT', 'STATE', 'DEVICE', 'ADDRESS', 'BEGUN', 'REFRESHED', 'EXPIRES'],
    items.map((session) => [
      session.id,
      session.subject,
      session.state,
      session.device,
      session.ip,
      session.createdAt,
      session.refreshedAt,
      session.refreshExpiresAt,
    ]),
  )
  if (nextCursor !== null) console.log(`\nThere are more: --cursor ${nextCursor}`)
}
