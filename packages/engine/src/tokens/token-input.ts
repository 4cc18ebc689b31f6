import Type from 'typebox'
import { MAX_TOKEN_LIFE_SECONDS } from '../revocation/add-rule.ts'
import { distinct } from '../roles/rights-input.ts'
import { TokenAlgorithm } from '../signing/token-algorithm.ts'

const MAX_AUDIENCES = 20
const AudienceName = Type.String({ minLength: 1, maxLength: 255 })

export const DEFAULT_TTL_SECONDS = 600

export const Audience = Type.Union(
  [AudienceName, Type.Array(AudienceName, { minItems: 1, maxItems: MAX_AUDIENCES })],
  {
    description: 'Which services the token is meant for: a verifier takes only what names its own audience.',
  },
)

export const TtlSeconds = Type.Integer({
  minimum: 1,
  maximum: MAX_TOKEN_LIFE_SECONDS,
  description: `How long the token lives; ${DEFAULT_TTL_SECONDS} if absent.`,
})

export const Algorithm = Type.With(TokenAlgorithm, {
  description:
    "What it is signed with; the project's own algorithm if absent. EdDSA is Ed25519 under its older name; HS256 is verified by this server alone.",
})

/** One name stays a text, as RFC 7519 (section 4.1.3) allows. */
export function distinctAudience(audience: string | readonly string[]): string | readonly string[] {
  return typeof audience === 'string' ? audience : distinct(audience)
}
