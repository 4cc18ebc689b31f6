import { sha256 } from '../crypto.ts'
import { acceptsHeader } from '../tokens/algorithms.ts'
import { readClaims } from '../tokens/claims.ts'
import { parseToken } from '../tokens/parse-token.ts'
import { type Refusal, refuse } from '../verdict.ts'
import type { ProjectFacts } from './project-facts.ts'
import { TokenCredential } from './token-credential.ts'

/**
 * Reads a token and checks its signature: everything about it that does not change with time or facts, but for
 * its signing key and issuer, which each later decision looks at again. Costs one signature check.
 */
export function recogniseToken(text: string, facts: ProjectFacts): TokenCredential | Refusal {
  const token = parseToken(text)
  if ('fault' in token) return refuse('malformed', token.fault)
  const claims = readClaims(token.payload)
  if ('fault' in claims) return refuse('malformed', claims.fault)
  const issuer = facts.ownIssuer(claims.issuer)
  if (issuer === undefined) {
    return refuse('unknown', 'This project does not accept tokens of that issuer.')
  }
  const key = facts.signingKey(token.header.kid)
  if (key === undefined) return refuse('unknown', 'This project has no signing key with the token’s `kid`.')
  if (!acceptsHeader(key.algorithm, token.header.alg)) {
    return refuse('unknown', 'The signing key with the token’s `kid` is of another algorithm than its `alg`.')
  }
  if (!key.verify(token.signedBytes, token.signature)) {
    return refuse(
      'bad_signature',
      'The signature does not fit the token. It was altered, or signed by somebody else.',
    )
  }
  return new TokenCredential({
    text,
    id: claims.tokenId ?? sha256(token.signingInput),
    issuer: issuer.url,
    signingKeyId: key.id,
    claims,
    grant: facts.grants.share(claims),
  })
}
