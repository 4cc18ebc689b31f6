import type { Engine } from '@claviger/engine'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { guardManagement } from './authentication.ts'
import { readQuery } from './query.ts'
import type { Route } from './routes/route.ts'
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
      bodyLimit: route.maxBodyBytes,
      handler: (request, reply) => answer(engine, route, { request, reply }),
    })
  }
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

async function answer(engine: Engine, route: Route, { request, reply }: Exchange): Promise<FastifyReply> {
  const { caller, project } = request
  if (caller === null || project === null) throw new TypeError(`${route.path} was reached past its guard`)
  const result = await route.handle({
    engine,
    caller,
    project,
    params: request.params,
    query: readQuery(route.query, request.query),
    body: request.body,
  })
  reply.code(route.answer.status).headers(DATA_HEADERS)
  if (result === undefined) return reply.send()
  return reply
    .type('application/json; charset=utf-8')
    .send(route.serialize?.(result) ?? JSON.stringify(result))
}
