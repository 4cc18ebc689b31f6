import { sha256 } from '../crypto.ts'
import { ALGORITHMS, acceptsHeader } from '../tokens/algorithms.ts'
import { type Claims, readClaims } from '../tokens/claims.ts'
import { type ParsedToken, parseToken } from '../tokens/parse-token.ts'
import type { VerificationKey } from '../tokens/verification-key.ts'
import { type Refusal, refuse } from '../verdict.ts'
import type { ProjectFacts } from './project-facts.ts'
import { TokenCredential } from './token-credential.ts'

/**
 * Reads a token and checks its signature: everything about it that does not change with time or facts, but for
 * its signing key and issuer, which each later decision looks at again. Costs one signature check. A promise only
 * where signatures are checked by one (see `tokens/signature-schemes.ts`).
 */
export function recogniseToken(
  text: string,
  facts: ProjectFacts,
): TokenCredential | Refusal | Promise<TokenCredential | Refusal> {
  const token = parseToken(text)
  if ('fault' in token) return refuse('malformed', token.fault)
  const claims = readClaims(token.payload)
  if ('fault' in claims) return refuse('malformed', claims.fault)
  const issuer = facts.ownIssuer(claims.issuer)
  if (issuer === undefined) {
    return refuse('unknown', 'This project does not accept tokens of that issuer.')
  }
  const key = facts.signingKey(token.header.kid)
  if (key === undefined) return unknownSigningKey()
  if (!acceptsHeader(key.algorithm, token.header.alg)) {
    return refuse('unknown', 'The signing key with the token’s `kid` is of another algorithm than its `alg`.')
  }
  const checked = { text, token, claims, issuer: issuer.url, key, facts }
  const holds = key.verify(token.signedBytes, token.signature)
  if (holds === true) return credentialOf(checked)
  return holds === false ? badSignature() : concludeLater(holds, checked)
}

/** A token whose signature is being checked. */
interface Checked {
  readonly text: string
  readonly token: ParsedToken
  readonly claims: Claims
  /** As the facts have it. */
  readonly issuer: string
  readonly key: VerificationKey
  readonly facts: ProjectFacts
}

function credentialOf({ text, token, claims, issuer, key, facts }: Checked): TokenCredential {
  return new TokenCredential({
    text,
    id: claims.tokenId ?? sha256(token.signingInput),
    issuer,
    signingKeyId: key.id,
    claims,
    grant: facts.grants.share(claims),
  })
}

/**
 * The facts may have changed while the signature was checked. If the key is not the project's as it was, it counts for
 * nothing what that key said, and the token is read anew (rule F1).
 */
async function concludeLater(holds: Promise<boolean>, checked: Checked): Promise<TokenCredential | Refusal> {
  const { text, key, facts } = checked
  const held = await holds
  if (facts.signingKey(key.id) !== key) return recogniseToken(text, facts)
  if (held) return credentialOf(checked)
  // That a runtime lacks an algorithm may show with its first signature. Such a key is unknown, here as in a snapshot.
  return ALGORITHMS[key.algorithm].isSupported() ? badSignature() : unknownSigningKey()
}

function unknownSigningKey(): Refusal {
  return refuse('unknown', 'This project has no signing key with the token’s `kid`.')
}

function badSignature(): Refusal {
  return refuse(
    'bad_signature',
    'The signature does not fit the token. It was altered, or signed by somebody else.',
  )
}
