import Type from 'typebox'
import { Audience } from '../audiences/audience-input.ts'
import { distinct } from '../roles/rights-input.ts'
import { TokenAlgorithm } from '../signing/token-algorithm.ts'

const MAX_AUDIENCES = 20

/** Of a token whose audience has no default and whose call says nothing. */
export const DEFAULT_TTL_SECONDS = 600

export const Audiences = Type.Union(
  [Audience, Type.Array(Audience, { minItems: 1, maxItems: MAX_AUDIENCES })],
  {
    description: 'Which services the token is meant for: a verifier takes only what names its own audience.',
  },
)

export const Algorithm = Type.With(TokenAlgorithm, {
  description:
    "What it is signed with; the audience's default if absent, else the project's own algorithm. EdDSA is Ed25519 under its older name; HS256 is verified by this server alone.",
})

/** The audiences that were asked for, each once. */
export function listOf(audience: string | readonly string[]): readonly string[] {
  return typeof audience === 'string' ? [audience] : distinct(audience)
}
