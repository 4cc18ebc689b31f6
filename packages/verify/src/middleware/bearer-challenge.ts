/** What a `WWW-Authenticate` says to programs that know RFC 6750 and nothing of Claviger. */
export interface BearerChallenge {
  readonly realm: string
  /** Null: no credential was presented, so there is nothing to say of it (RFC 6750, section 3.1). */
  readonly error: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | null
  readonly description?: string
  /** What was wanting: permissions with spaces between them. */
  readonly scope?: string | undefined
  /** Where the resource's metadata is (RFC 9728, section 5.1). */
  readonly resourceMetadata?: string | undefined
}

/** The value of `WWW-Authenticate` (RFC 6750, section 3). */
export function formatBearerChallenge(challenge: BearerChallenge): string {
  const parts = [`realm="${quotable(challenge.realm)}"`]
  if (challenge.error !== null) {
    parts.push(`error="${challenge.error}"`)
    if (challenge.description !== undefined)
      parts.push(`error_description="${quotable(challenge.description)}"`)
  }
  if (challenge.scope !== undefined) parts.push(`scope="${challenge.scope}"`)
  if (challenge.resourceMetadata !== undefined)
    parts.push(`resource_metadata="${challenge.resourceMetadata}"`)
  return `Bearer ${parts.join(', ')}`
}

/** In the characters that a description may have (RFC 6750, section 3): neither quotes nor backslashes. */
function quotable(text: string): string {
  return text.replaceAll(/["\\’]/g, "'").replaceAll(/[^\x20-\x7e]/g, '?')
}
