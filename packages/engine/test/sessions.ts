import type { Verdict } from '@claviger/verify'
import type { Actor } from '../src/commands/command.ts'
import { createManagementKey } from '../src/management/create-management-key.ts'
import { putRole } from '../src/roles/put-role.ts'
import { type CreateSessionInput, createSession } from '../src/sessions/create-session.ts'
import { readSession } from '../src/sessions/read-session.ts'
import { refreshSession } from '../src/sessions/refresh-session.ts'
import type { SessionTokens } from '../src/sessions/session-tokens.ts'
import type { TestInstallation } from './installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from './issuing.ts'

/** A place where subjects are logged in and out; the roles `reader` and `writer` are there. */
export interface SessionPlace extends Issuing {
  /** A subject that no other test has. */
  newSubject(): string
  /** Another caller: a management key. */
  newActor(input: Record<string, unknown>): Promise<Actor & { readonly keyId: string }>
  begin(subject: string, rest?: Partial<CreateSessionInput>, actor?: Actor): Promise<SessionTokens>
  refresh(tokens: Pick<SessionTokens, 'refreshToken'>, actor?: Actor): Promise<SessionTokens>
  verdictOn(tokens: SessionTokens): Promise<Verdict>
  /** What the access token is answered: `ok`, or the code of the refusal. */
  outcome(tokens: SessionTokens): Promise<string>
  stateOf(tokens: SessionTokens): Promise<string>
}

export async function openSessions(installation: TestInstallation): Promise<SessionPlace> {
  const issuing = await openIssuing(installation)
  const { scope, verifier } = issuing
  await putRole(scope, 'reader', { permissions: ['documents:read'] })
  await putRole(scope, 'writer', { permissions: ['documents:write'] })
  let subjects = 0
  const verdictOn = ({ accessToken }: SessionTokens) => verifier.verify({ credential: accessToken })
  return {
    ...issuing,
    newSubject: () => `user_${++subjects}`,
    async newActor(input) {
      const { id } = await createManagementKey(scope, { name: 'backend', ...input })
      return { kind: 'management-key', keyId: id }
    },
    begin: (subject, rest = {}, actor = scope.actor) =>
      createSession(issuing.as(actor), { subject, audience: AUDIENCE, ...rest }),
    refresh: ({ refreshToken }, actor = scope.actor) => refreshSession(issuing.as(actor), { refreshToken }),
    verdictOn,
    async outcome(tokens) {
      const verdict = await verdictOn(tokens)
      return verdict.ok ? 'ok' : verdict.code
    },
    stateOf: async ({ id }) => (await readSession(scope, id)).state,
  }
}

export function claimsOf({ accessToken }: SessionTokens): Record<string, unknown> {
  return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
}
