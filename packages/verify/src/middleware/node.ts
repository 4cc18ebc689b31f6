import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Caller, createProtection, type ProtectionOptions, type RouteRequirements } from './protect.ts'

export type {
  Caller,
  Decision,
  ProtectionOptions,
  RequestVerifier,
  RouteRequirements,
} from './protect.ts'

/** A handler that is called only for callers who may pass. */
export type ProtectedHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  principal: Caller,
) => unknown

export interface NodeProtection {
  /** Wraps a handler. Its promise rejects only with what the handler itself throws. */
  protect(
    requirements: RouteRequirements,
    handler: ProtectedHandler,
  ): (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** Answers a request for the service's metadata (RFC 9728); false: the request is for something else. */
  answerMetadata(request: IncomingMessage, response: ServerResponse): boolean
}

/** Protects handlers of `node:http`. */
export function createNodeProtection(options: ProtectionOptions): NodeProtection {
  const { guard, metadata } = createProtection(options)
  return {
    protect(requirements, handler) {
      const admit = guard(requirements)
      return async (request, response) => {
        const admission = await admit({
          rawHeaders: request.rawHeaders,
          target: request.url ?? '',
          peer: request.socket.remoteAddress,
        })
        if (admission.ok) {
          for (const [name, value] of Object.entries(admission.headers)) response.setHeader(name, value)
          await handler(request, response, admission.principal)
        } else {
          const { status, headers, body } = admission.answer
          response.writeHead(status, headers).end(body)
        }
      }
    },
    answerMetadata(request, response) {
      if (metadata === undefined || request.url?.split('?', 1)[0] !== metadata.path) return false
      if (request.method !== 'GET' && request.method !== 'HEAD') return false
      response.writeHead(200, { 'content-type': 'application/json' }).end(metadata.body)
      return true
    },
  }
}
