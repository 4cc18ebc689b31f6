import type { Engine, ManagementCaller, Once } from '@claviger/engine'
import type { FastifyRequest } from 'fastify'
import { readIdempotencyKey, readPresentedCredential } from './presented-credential.ts'
import type { Route } from './routes/route.ts'

/** Set: the request carries an `Idempotency-Key`, and its route runs a command that is to run once (rule C7). */
export function readOnce(
  engine: Engine,
  route: Route,
  { request, caller, project }: { request: FastifyRequest; caller: ManagementCaller; project: string },
): Once | undefined {
  if (route.method === 'GET' || route.once === false) return undefined
  const { rawHeaders } = request.raw
  const key = readIdempotencyKey(rawHeaders)
  if (key === undefined) return undefined
  return engine.once({
    callerId: caller.keyId,
    credential: readPresentedCredential(rawHeaders),
    key,
    request: [route.method, request.url, project, request.body ?? null],
  })
}
