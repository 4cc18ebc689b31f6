/** The service as OAuth sees it: a protected resource (RFC 9728). */
export interface ProtectedResource {
  /** Its resource identifier: an `https` URL without a fragment, as clients know it (plain `http` to loopback only). */
  readonly url: string
  /** Issuers of the tokens that it takes. */
  readonly authorizationServers: readonly string[]
  /** Permissions that a client may ask for. */
  readonly scopes?: readonly string[]
  /** For people. */
  readonly name?: string
  /** Where people read about the service. */
  readonly documentation?: string
}

export interface ResourceMetadata {
  /** Its path at the service. */
  readonly path: string
  /** Its address, as the challenge names it. */
  readonly url: string
  /** The JSON. */
  readonly body: string
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/** Builds the metadata (RFC 9728, sections 2 and 3.1). An identifier that cannot be one is a `TypeError`. */
export function buildResourceMetadata(
  resource: ProtectedResource,
  bearerMethods: readonly ('header' | 'query')[],
): ResourceMetadata {
  const identifier = new URL(resource.url)
  if (identifier.hash !== '' || resource.url.includes('"') || !isProtected(identifier)) {
    throw new TypeError('`resource.url` must be an https URL without a fragment (http to loopback only).')
  }
  const suffix = identifier.pathname === '/' ? '' : identifier.pathname
  const path = `${WELL_KNOWN}${suffix}`
  return {
    path,
    url: `${identifier.origin}${path}${identifier.search}`,
    body: JSON.stringify({
      resource: resource.url,
      authorization_servers: resource.authorizationServers,
      bearer_methods_supported: bearerMethods,
      ...(resource.scopes === undefined ? {} : { scopes_supported: resource.scopes }),
      ...(resource.name === undefined ? {} : { resource_name: resource.name }),
      ...(resource.documentation === undefined ? {} : { resource_documentation: resource.documentation }),
    }),
  }
}

function isProtected({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true
  return protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}
