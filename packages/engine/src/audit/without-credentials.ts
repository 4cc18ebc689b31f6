import { KEY_PATTERN } from '@claviger/verify'

/** Shorter runs of these characters hold neither a key nor a token that is signed. */
const LONG_RUN = /[A-Za-z0-9_.-]{44}/
/** A compact JWS or JWE: it begins with a JSON object in base64url, and has two dots or more. */
const TOKEN = /e[wy][A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_.-]*/g

/**
 * Takes credentials out by their shape. What goes into an entry or the record of a revocation is chosen so that none is in
 * it, but a reason or a name is a caller's own text, and a person may have pasted the leaked key there. An entry stays for
 * ever.
 */
export function withoutCredentials(text: string): string {
  if (!LONG_RUN.test(text)) return text
  return text.replaceAll(TOKEN, '[redacted]').replaceAll(KEY_PATTERN, '[redacted]')
}
