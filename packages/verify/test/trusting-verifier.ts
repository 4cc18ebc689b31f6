import { Verifier } from '../src/verifier/verifier.ts'
import { AUDIENCE, accessClaims, ISSUER } from './credentials.ts'
import { MemorySource } from './memory-source.ts'
import type { TokenSigner } from './token-signer.ts'

/** A verifier that trusts the signers' keys, and what it says of a credential. */
export interface Trusting {
  /** The claims of a good token. */
  readonly claims: Record<string, unknown>
  /** The code of the verdict, or `ok`. */
  verdictOn(credential: string): Promise<string>
}

export async function openTrusting(signers: readonly TokenSigner[]): Promise<Trusting> {
  const source = new MemorySource()
  source.facts = [
    ...signers.map(({ fact }) => fact),
    { type: 'issuers', own: [{ url: ISSUER, acceptUntilMs: null }] },
  ]
  const verifier = await Verifier.open({ source, audience: AUDIENCE })
  return {
    claims: accessClaims(source.time, source.position()),
    async verdictOn(credential) {
      const verdict = await verifier.verify({ credential })
      return verdict.ok ? 'ok' : verdict.code
    },
  }
}
