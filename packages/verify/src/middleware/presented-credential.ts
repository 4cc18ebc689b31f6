/** Where a credential stood. */
export type CredentialPlace = 'authorization' | 'header' | 'query'

/** The one credential of a request, or why there is not exactly one. Holds the credential: never log it. */
export type PresentedCredential =
  | { readonly credential: string; readonly place: CredentialPlace }
  | {
      /** `absent`: none. `scheme`: Authorization is no Bearer. `repeated`: one place holds several. `conflicting`: two places differ. */
      readonly fault: 'absent' | 'scheme' | 'repeated' | 'conflicting'
      /** The header or parameter that stands more than once. */
      readonly name?: string
    }

export interface CredentialPlaces {
  /** Lower-case names of the headers that may hold a credential, besides `Authorization`. */
  readonly headers: readonly string[]
  /** The parameter of the query that may hold one; absent: none does. */
  readonly queryParameter?: string | undefined
}

const BEARER = /^Bearer +([^ ]+) *$/i

/**
 * Reads the credential of a request. Several places may hold one if they agree; one place may hold it once.
 *
 * `rawHeaders` are names and values in turn, as they came over the wire: Node's own record of them keeps the first of two
 * `Authorization` headers and drops the other, so that a proxy and this program could read different ones.
 */
export function readPresentedCredential(
  rawHeaders: readonly string[],
  places: CredentialPlaces,
  target = '',
): PresentedCredential {
  const authorization = headerValues(rawHeaders, 'authorization')
  if (authorization.length > 1) return { fault: 'repeated', name: 'authorization' }
  let found: { credential: string; place: CredentialPlace } | undefined
  let conflicting = false
  const take = (credential: string, place: CredentialPlace): void => {
    if (found !== undefined && found.credential !== credential) conflicting = true
    found ??= { credential, place }
  }
  const [scheme] = authorization
  const bearer = scheme === undefined ? undefined : BEARER.exec(scheme)?.[1]
  if (bearer !== undefined) take(bearer, 'authorization')
  for (const name of places.headers) {
    const [value, ...more] = headerValues(rawHeaders, name)
    if (more.length > 0) return { fault: 'repeated', name }
    if (value !== undefined) take(value, 'header')
  }
  if (scheme !== undefined && bearer === undefined) return { fault: 'scheme' }
  if (places.queryParameter !== undefined) {
    const [value, ...more] = queryValues(target, places.queryParameter)
    if (more.length > 0) return { fault: 'repeated', name: places.queryParameter }
    if (value !== undefined) take(value, 'query')
  }
  if (conflicting) return { fault: 'conflicting' }
  return found === undefined || found.credential === '' ? { fault: 'absent' } : found
}

/** The values of a header, in the order in which they came. */
export function headerValues(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index]
    // Most names are of another length, which costs no copy to find out.
    if (candidate?.length !== name.length || candidate.toLowerCase() !== name) continue
    values.push(rawHeaders[index + 1] ?? '')
  }
  return values
}

function queryValues(target: string, parameter: string): string[] {
  const start = target.indexOf('?')
  return start === -1 ? [] : new URLSearchParams(target.slice(start + 1)).getAll(parameter)
}
