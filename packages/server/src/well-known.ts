import {
  CodedError,
  DEFAULT_PROJECT,
  type Engine,
  issuerOf,
  JWKS_MAX_AGE_SECONDS,
  MANAGEMENT_PROJECT,
} from '@claviger/engine'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { DATA_HEADERS } from './security-headers.ts'

const METADATA_PATH = '/.well-known/oauth-authorization-server'
const JWKS_PATH = '/.well-known/jwks.json'
/** The engine publishes a signing key for longer than this before it signs (DESIGN section 7). */
const PUBLIC_HEADERS = {
  ...DATA_HEADERS,
  'cache-control': `public, max-age=${JWKS_MAX_AGE_SECONDS}`,
} as const

/** What anybody may read of an issuer: its public keys (RFC 7517) and its metadata (RFC 8414). */
export function addWellKnown(server: FastifyInstance, engine: Engine): void {
  const sendJwks = async (reply: FastifyReply, project: string): Promise<FastifyReply> =>
    reply.headers(PUBLIC_HEADERS).send(await issuingProject(engine, project).jwks())

  server.get(JWKS_PATH, (_request, reply) => sendJwks(reply, DEFAULT_PROJECT))
  server.get<{ Params: { name: string } }>(`/p/:name${JWKS_PATH}`, (request, reply) =>
    sendJwks(reply, request.params.name),
  )

  const sendMetadata = async (reply: FastifyReply, path: string): Promise<FastifyReply> =>
    reply.headers(PUBLIC_HEADERS).send(await metadataOf(engine, path))

  server.get(METADATA_PATH, (_request, reply) => sendMetadata(reply, ''))
  server.get<{ Params: { '*': string } }>(`${METADATA_PATH}/*`, (request, reply) =>
    sendMetadata(reply, `/${request.params['*']}`),
  )
}

/**
 * The metadata of the issuer whose path was inserted (RFC 8414, section 3.1). It names what there is and nothing
 * else: no endpoint gives tokens to the public, so no grant and no response type is supported.
 */
async function metadataOf(engine: Engine, path: string): Promise<Readonly<Record<string, unknown>>> {
  const publicUrl = await engine.publicUrl()
  const base = new URL(publicUrl).pathname.replace(/\/$/, '')
  const inner = path.startsWith(`${base}/`) ? path.slice(base.length) : path === base ? '' : path
  const name = inner === '' ? DEFAULT_PROJECT : /^\/p\/([^/]+)$/.exec(inner)?.[1]
  if (name === undefined) throw noIssuer()
  const issuer = issuerOf(publicUrl, issuingProject(engine, name).name)
  return {
    issuer,
    jwks_uri: `${issuer}${JWKS_PATH}`,
    response_types_supported: [],
    grant_types_supported: [],
    service_documentation: `${publicUrl}/docs`,
  }
}

/** The project of the management keys signs nothing. */
function issuingProject(engine: Engine, name: string): ReturnType<Engine['project']> {
  if (name === MANAGEMENT_PROJECT) throw noIssuer()
  return engine.project(name)
}

function noIssuer(): CodedError {
  return new CodedError('not_found', 'There is no issuer at this address.')
}
