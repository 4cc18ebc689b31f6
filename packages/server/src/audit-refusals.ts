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

/** A call that was refused, as far as it is known. */
interface RefusedRequest {
  /** The management key that was recognised. */
  readonly keyId: string | null
  /** Method and route: its pattern alone, for the path is the caller's to fill. */
  readonly call: string
  readonly address: string
  readonly requestId: string
}

/**
 * Has a call audited that was refused for want of a right: by its credential, its verb, its grants, or because it named
 * a project that is not its own.
 */
export function auditRefusal(engine: Engine, refused: RefusedRequest, error: CodedError): void {
  const isRefusal = error.status === 401 || error.status === 403 || error instanceof ForeignProject
  if (!isRefusal) return
  const { keyId, call, address, requestId } = refused
  engine.recordRefusal({
    keyId: (error instanceof RefusedCaller ? error.refusal.id : keyId) ?? null,
    reason: reasonOf(error),
    call,
    origin: { address, requestId },
  })
}

export function refusalOf(request: FastifyRequest): RefusedRequest {
  const route = request.is404 ? undefined : request.routeOptions.url
  return {
    keyId: request.caller?.keyId ?? null,
    call: `${request.method} ${route ?? '/v1'}`,
    address: request.ip,
    requestId: request.id,
  }
}

function reasonOf(error: CodedError): string {
  if (error instanceof RefusedCaller) return error.refusal.code
  return error instanceof ForeignProject ? 'foreign_project' : error.code
}
