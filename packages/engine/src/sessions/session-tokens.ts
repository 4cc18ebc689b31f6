import Type, { type Static } from 'typebox'
import type { EngineParts } from '../scope.ts'
import { Time } from '../time.ts'
import type { MintScope } from '../tokens/mint-token.ts'

/** What a session hands out, when it begins and at each refresh. */
export const SessionTokens = Type.Object({
  id: Type.String({ description: "The session's id: the `sid` of its access tokens." }),
  accessToken: Type.String({ description: 'A signed JWT (RFC 9068).' }),
  refreshToken: Type.String({
    description: 'For the next refresh, and for nothing else. It is in this answer alone.',
  }),
  expiresAt: Type.String({ ...Time, description: "The access token's end." }),
  refreshExpiresAt: Type.String({
    ...Time,
    description: "The refresh token's end: by idleness, or with the session.",
  }),
})
export type SessionTokens = Static<typeof SessionTokens>

export type SessionScope = MintScope & Pick<EngineParts, 'refreshTokens'>
