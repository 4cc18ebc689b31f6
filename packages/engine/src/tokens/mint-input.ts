import Type, { type Static } from 'typebox'
import { TtlSeconds } from '../audiences/audience-input.ts'
import { PermissionList, RoleNameList, ScopeList } from '../roles/rights-input.ts'
import { SubjectId } from '../subjects/subject-input.ts'
import { Time } from '../time.ts'
import { CustomClaims } from './custom-claims.ts'
import { SizeWarning } from './size-warnings.ts'
import { Algorithm, Audiences } from './token-input.ts'

const MAX_PARENT_LENGTH = 8192

/** A token for a subject, or with `parent` one that is derived from a credential. */
export const MintTokenInput = Type.Object(
  {
    subject: Type.Optional(SubjectId),
    parent: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: MAX_PARENT_LENGTH,
        description:
          'In place of `subject`: the text of a token or an API key of the project that the new token is derived from. It speaks for the same subject, never exceeds the parent, and dies with it.',
      }),
    ),
    audience: Type.Optional(
      Type.With(Audiences, {
        description:
          'Which services the token is meant for: a verifier takes only what names its own audience. It may be absent where a parent token has one.',
      }),
    ),
    ttlSeconds: Type.Optional({
      ...TtlSeconds,
      description: "How long the token lives; the audience's default if absent, else 600.",
    }),
    scopes: Type.Optional(ScopeList),
    roles: Type.Optional(RoleNameList),
    permissions: Type.Optional({
      ...PermissionList,
      description:
        'Permissions `resource:action`; `*` stands for a whole segment. With a parent: narrows the token to these, all of which the parent must hold.',
    }),
    claims: Type.Optional(CustomClaims),
    algorithm: Type.Optional(Algorithm),
  },
  { additionalProperties: false },
)
export type MintTokenInput = Static<typeof MintTokenInput>

export const MintedToken = Type.Object({
  id: Type.String({ description: 'Its `jti`.' }),
  credential: Type.String(),
  expiresAt: Time,
  warnings: Type.Optional(
    Type.Array(SizeWarning, { description: 'What may go wrong with this token; absent: nothing known.' }),
  ),
})
export type MintedToken = Static<typeof MintedToken>
