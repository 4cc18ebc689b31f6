import type { Context, MiddlewareHandler } from 'hono'
import { type Caller, createProtection, type ProtectionOptions, type RouteRequirements } from './protect.ts'
import { webCall } from './web-call.ts'

export type {
  Caller,
  Decision,
  ProtectionOptions,
  RequestVerifier,
  RouteRequirements,
} from './protect.ts'

export interface HonoProtectionOptions extends ProtectionOptions {
  /**
   * The address of the connection's other end, which each platform tells in its own way: give the address of its
   * `getConnInfo`. Absent: it is not known, so that no proxy is trusted and no IP list lets the caller in.
   */
  readonly peer?: (context: Context) => string | undefined
}

/** What `protect` adds to the context of the routes behind it. */
export interface Protected {
  Variables: { principal: Caller }
}

export interface HonoProtection {
  /** Middleware that lets pass only callers who may, and leaves them in `context.var.principal`. */
  protect(requirements?: RouteRequirements): MiddlewareHandler<Protected>
  /** Middleware that answers requests for the service's metadata (RFC 9728). */
  readonly metadata: MiddlewareHandler
}

/** Protects routes of Hono. */
export function createHonoProtection(options: HonoProtectionOptions): HonoProtection {
  const { guard, metadata } = createProtection(options)
  return {
    protect(requirements = {}) {
      const admit = guard(requirements)
      return async (context, next) => {
        const admission = await admit(webCall(context.req.raw, () => options.peer?.(context)))
        if (!admission.ok) {
          const { status, headers, body } = admission.answer
          return new Response(body, { status, headers })
        }
        context.set('principal', admission.principal)
        for (const [name, value] of Object.entries(admission.headers)) context.header(name, value)
        await next()
        return undefined
      }
    },
    async metadata(context, next) {
      const { path, method } = context.req
      if (path === metadata?.path && (method === 'GET' || method === 'HEAD'))
        return context.body(metadata.body, 200, { 'content-type': 'application/json' })
      return next()
    },
  }
}
