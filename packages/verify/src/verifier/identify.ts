import { sha256 } from '../crypto.ts'
import type { Refusal } from '../verdict.ts'
import type { Verifier } from './verifier.ts'

/** Whom a text names. */
export type Identification =
  | { readonly kind: 'key'; readonly keyId: string; readonly current: boolean; readonly digest: string }
  | { readonly kind: 'token'; readonly tokenId: string; readonly expiresAtMs: number }

/**
 * Whom a text names, whether or not it may pass: a refusal unless it is a key of the project or a token that
 * the project signed. For whoever acts on a credential by its text, such as a revocation.
 */
export async function identify(verifier: Verifier, credential: string): Promise<Identification | Refusal> {
  const entry = await verifier.recognise(credential)
  if ('code' in entry) return entry
  return entry.kind === 'key'
    ? { kind: 'key', keyId: entry.id, current: entry.record.secret.current, digest: sha256(credential) }
    : { kind: 'token', tokenId: entry.id, expiresAtMs: entry.expiresAtMs }
}
