import { type Caller, createProtection, type ProtectionOptions, type RouteRequirements } from './protect.ts'
import { webCall } from './web-call.ts'

export type {
  Caller,
  Decision,
  ProtectionOptions,
  RequestVerifier,
  RouteRequirements,
} from './protect.ts'

export interface FetchProtectionOptions<Rest extends readonly unknown[] = readonly unknown[]>
  extends ProtectionOptions {
  /**
   * The address of the connection's other end, which a `Request` does not show: a platform tells it in its own way. Absent:
   * it is not known, so that no proxy is trusted and no IP list lets the caller in.
   */
  readonly peer?: (request: Request, ...rest: Rest) => string | undefined
}

export interface FetchProtection<Rest extends readonly unknown[]> {
  /** Wraps a handler, which is called only for callers who may pass; what follows the request is handed on after them. */
  protect(
    requirements: RouteRequirements,
    handler: (request: Request, principal: Caller, ...rest: Rest) => Response | Promise<Response>,
  ): (request: Request, ...rest: Rest) => Promise<Response>
  /** The service's metadata (RFC 9728), if that is what the request asks for. */
  answerMetadata(request: Request): Response | undefined
}

/** Protects handlers that take a `Request` and give a `Response`: Next route handlers, Workers, Deno, Bun. */
export function createFetchProtection<Rest extends readonly unknown[] = readonly unknown[]>(
  options: FetchProtectionOptions<Rest>,
): FetchProtection<Rest> {
  const { guard, metadata } = createProtection(options)
  return {
    protect(requirements, handler) {
      const admit = guard(requirements)
      return async (request, ...rest) => {
        const admission = await admit(webCall(request, () => options.peer?.(request, ...rest)))
        if (!admission.ok) {
          const { status, headers, body } = admission.answer
          return new Response(body, { status, headers })
        }
        const response = await handler(request, admission.principal, ...rest)
        return withHeaders(response, admission.headers)
      }
    },
    answerMetadata(request) {
      if (metadata === undefined || new URL(request.url).pathname !== metadata.path) return undefined
      if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
      return new Response(metadata.body, { headers: { 'content-type': 'application/json' } })
    },
  }
}

/** The headers of a response may be fixed, so it is built anew; what the handler set stays. */
function withHeaders(response: Response, headers: Readonly<Record<string, string>>): Response {
  const missing = Object.entries(headers).filter(([name]) => !response.headers.has(name))
  // A switched protocol or an error of the network has a status that no response can be built with.
  if (missing.length === 0 || response.status < 200) return response
  const answer = new Response(response.body, response)
  for (const [name, value] of missing) answer.headers.set(name, value)
  return answer
}
