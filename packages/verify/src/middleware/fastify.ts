import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Caller, createProtection, type ProtectionOptions, type RouteRequirements } from './protect.ts'

export type {
  Caller,
  Decision,
  ProtectionOptions,
  RequestVerifier,
  RouteRequirements,
} from './protect.ts'

/** A hook for `onRequest`, where it runs before the body is read, or for `preHandler`. */
export type ProtectHook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

declare module 'fastify' {
  interface FastifyInstance {
    /** A hook that lets pass only callers who may, and leaves them in `request.principal`. */
    protect(requirements?: RouteRequirements): ProtectHook
  }
  interface FastifyRequest {
    /** Whom the request speaks for; null on a route that is not protected. */
    principal: Caller | null
  }
}

/**
 * The plugin. It decorates the instance that registers it, and serves the service's metadata (RFC 9728) where `resource` is
 * given. Fastify's setting `trustProxy` plays no part: name the proxies in the options.
 */
export async function claviger(server: FastifyInstance, options: ProtectionOptions): Promise<void> {
  const { guard, metadata } = createProtection(options)
  server.decorateRequest('principal', null)
  server.decorate('protect', (requirements = {}) => {
    const admit = guard(requirements)
    return async (request, reply) => {
      const { rawHeaders, url = '', socket } = request.raw
      const admission = await admit({ rawHeaders, target: url, peer: socket.remoteAddress })
      if (admission.ok) {
        request.principal = admission.principal
        reply.headers(admission.headers)
        return undefined
      }
      const { status, headers, body } = admission.answer
      return reply.code(status).headers(headers).send(body)
    }
  })
  if (metadata !== undefined)
    server.get(metadata.path, (_request, reply) => reply.type('application/json').send(metadata.body))
}

// What the package `fastify-plugin` sets: the decorations belong to the instance that registers, not to a child of it.
Object.assign(claviger, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@claviger/verify',
  [Symbol.for('plugin-meta')]: { name: '@claviger/verify', fastify: '5.x' },
})

/** The caller of a protected route. A route that is not protected is a `TypeError`, so that nobody passes by an oversight. */
export function principalOf(request: Pick<FastifyRequest, 'principal'>): Caller {
  if (request.principal === null)
    throw new TypeError('The route is not protected: give it a hook of `protect`.')
  return request.principal
}
