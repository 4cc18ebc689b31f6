import { CodedError, type Engine, ForeignProject } from '@claviger/engine'
import type { Refusal } from '@claviger/verify'
import type { FastifyRequest } from 'fastify'

/** The management key that was presented may not pass. The audit is told more of it than the caller. */
export class RefusedCaller extends CodedError {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super('unauthenticated', `The management key was refused (${refusal.code}). ${refusal.detail}`)
    this.refusal = refusal
  }
}

/**
 * Has a call audited that was refused for want of a right: by its credential, its verb, its grants, or because it named
 * a project that is not its own. The address is named by its route's pattern alone, for its path is the caller's to fill.
 */
export function auditRefusal(engine: Engine, request: FastifyRequest, error: CodedError): void {
  const isRefusal = error.status === 401 || error.status === 403 || error instanceof ForeignProject
  if (!isRefusal) return
  const route = request.is404 ? undefined : request.routeOptions.url
  engine.recordRefusal({
    keyId: keyIdOf(request, error),
    reason: reasonOf(error),
    call: `${request.method} ${route ?? '/v1'}`,
    origin: { address: request.ip, requestId: request.id },
  })
}

/** Null: nobody that is known here. */
function keyIdOf({ caller }: FastifyRequest, error: CodedError): string | null {
  return (error instanceof RefusedCaller ? error.refusal.id : caller?.keyId) ?? null
}

function reasonOf(error: CodedError): string {
  if (error instanceof RefusedCaller) return error.refusal.code
  return error instanceof ForeignProject ? 'foreign_project' : error.code
}
