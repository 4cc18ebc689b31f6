import type { Engine } from '@claviger/engine'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { guardManagement } from './authentication.ts'
import { readQuery } from './query.ts'
import { RequestCall } from './request-call.ts'
import { JSON_MEDIA_TYPE, type Route, serialize } from './routes/route.ts'
import { ROUTES } from './routes/table.ts'
import { DATA_HEADERS } from './security-headers.ts'

/** Adds the routes of the table, each behind its guard. */
export function addManagementApi(server: FastifyInstance, engine: Engine): void {
  guardManagement(server, engine)
  for (const route of ROUTES) {
    server.route({
      method: route.method,
      url: route.path.replaceAll(/\{([^}]+)\}/g, ':$1'),
      config: { verb: route.verb, quiet: route.quiet === true },
      handler: (request, reply) => answer(route, { call: callOf(engine, route, request), reply }),
    })
  }
}

async function answer(
  route: Route,
  { call, reply }: { call: RequestCall; reply: FastifyReply },
): Promise<FastifyReply> {
  const result = await route.handle(call)
  reply.code(route.answer.status).headers(DATA_HEADERS)
  if (result === undefined) return reply.send()
  return reply.type(JSON_MEDIA_TYPE).send(serialize(route, result))
}

function callOf(engine: Engine, route: Route, request: FastifyRequest): RequestCall {
  const { caller, projectName, params, body } = request
  if (caller === null || projectName === null) throw new TypeError(`${route.path} was reached past its guard`)
  return new RequestCall({
    engine,
    caller,
    projectName,
    params: params as Readonly<Record<string, string>>,
    query: readQuery(route.query, request.query),
    body,
  })
}
