import type { ManagementCaller } from '@claviger/engine'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { guardManagement } from './authentication.ts'
import { readOnce } from './idempotency.ts'
import { readQuery } from './query.ts'
import { type Api, RequestCall } from './request-call.ts'
import { JSON_MEDIA_TYPE, type Route, serialize } from './routes/route.ts'
import { ROUTES } from './routes/table.ts'
import { DATA_HEADERS } from './security-headers.ts'

/** Adds the routes of the table, each behind its guard. */
export function addManagementApi(server: FastifyInstance, api: Api): void {
  guardManagement(server, api.engine)
  for (const route of ROUTES) {
    server.route({
      method: route.method,
      url: route.path.replaceAll(/\{([^}]+)\}/g, ':$1'),
      config: { verb: route.verb, quiet: route.quiet === true },
      bodyLimit: route.maxBodyBytes,
      handler: (request, reply) => answer(api, route, { request, reply }),
    })
  }
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

async function answer(api: Api, route: Route, { request, reply }: Exchange): Promise<FastifyReply> {
  const { caller, projectName } = request
  if (caller === null || projectName === null) throw new TypeError(`${route.path} was reached past its guard`)
  api.inFlight.enter(caller.keyId)
  let result: unknown
  try {
    result = await handle(api, route, { request, caller, projectName })
  } finally {
    api.inFlight.leave(caller.keyId)
  }
  reply.code(route.answer.status).headers(DATA_HEADERS)
  if (route.answer.schema === undefined) return reply.send()
  return reply.type(JSON_MEDIA_TYPE).send(serialize(route, result))
}

/** Carries the request out, unless it was before and its answer is still known (rule C7). */
async function handle(
  api: Api,
  route: Route,
  {
    request,
    caller,
    projectName,
  }: { request: FastifyRequest; caller: ManagementCaller; projectName: string },
): Promise<unknown> {
  const query = readQuery(route.query, request.query)
  const once = readOnce(api.engine, route, { request, caller, project: projectName })
  const known = await once?.recall()
  if (known !== undefined) return known.answer
  const params = request.params as Readonly<Record<string, string>>
  return route.handle(new RequestCall(api, { caller, projectName, params, query, body: request.body, once }))
}
