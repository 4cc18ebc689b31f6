import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { type Caller, createProtection, type ProtectionOptions, type RouteRequirements } from './protect.ts'

export type {
  Caller,
  Decision,
  ProtectionOptions,
  RequestVerifier,
  RouteRequirements,
} from './protect.ts'

declare global {
  namespace Express {
    interface Request {
      /** Set by `protect`: whom the request speaks for. */
      principal?: Caller
    }
  }
}

export interface ExpressProtection {
  /** Middleware that lets pass only callers who may, and leaves them in `request.principal`. */
  protect(requirements?: RouteRequirements): RequestHandler
  /** Middleware that answers requests for the service's metadata (RFC 9728). Mount it at the root. */
  readonly metadata: RequestHandler
}

/** Protects routes of Express. Its setting `trust proxy` plays no part: name the proxies in the options. */
export function createExpressProtection(options: ProtectionOptions): ExpressProtection {
  const { guard, metadata } = createProtection(options)
  return {
    protect(requirements = {}) {
      const admit = guard(requirements)
      return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
        const admission = await admit({
          rawHeaders: request.rawHeaders,
          target: request.url,
          peer: request.socket.remoteAddress,
        })
        if (admission.ok) {
          request.principal = admission.principal
          response.set(admission.headers)
          next()
        } else {
          const { status, headers, body } = admission.answer
          response.status(status).set(headers).end(body)
        }
      }
    },
    metadata(request, response, next) {
      const asked = request.path === metadata?.path && (request.method === 'GET' || request.method === 'HEAD')
      if (!asked) return next()
      response.type('json').end(metadata.body)
    },
  }
}

/** The caller of a protected route. A route that is not protected is a `TypeError`, so that nobody passes by an oversight. */
export function principalOf(request: Pick<Request, 'principal'>): Caller {
  if (request.principal === undefined)
    throw new TypeError('The route is not protected: put `protect` before it.')
  return request.principal
}
