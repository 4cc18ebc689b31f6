import type { Engine, ManagementCaller, Project } from '@claviger/engine'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { guardManagement } from './authentication.ts'
import type { HttpLimits } from './http-limits.ts'
import { readOnce } from './idempotency.ts'
import { readQuery } from './query.ts'
import type { Route } from './routes/route.ts'
import { ROUTES } from './routes/table.ts'
import { DATA_HEADERS } from './security-headers.ts'
import { GuessThrottle } from './throttling/guess-throttle.ts'
import { InFlight } from './throttling/in-flight.ts'

/** Adds the routes of the table, each behind its guard. */
export function addManagementApi(server: FastifyInstance, engine: Engine, limits: HttpLimits): void {
  const api = {
    engine,
    inFlight: new InFlight(limits.maxInFlightPerCaller),
    guesses: new GuessThrottle(limits.guesses),
  }
  guardManagement(server, engine)
  for (const route of ROUTES) {
    server.route({
      method: route.method,
      url: route.path.replaceAll(/\{([^}]+)\}/g, ':$1'),
      config: { verb: route.verb, quiet: route.quiet === true },
      handler: (request, reply) => answer(api, route, { request, reply }),
    })
  }
}

interface Api {
  readonly engine: Engine
  readonly inFlight: InFlight
  readonly guesses: GuessThrottle
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

async function answer(api: Api, route: Route, { request, reply }: Exchange): Promise<FastifyReply> {
  const { caller, project } = request
  if (caller === null || project === null) throw new TypeError(`${route.path} was reached past its guard`)
  api.inFlight.enter(caller.keyId)
  let result: unknown
  try {
    result = await handle(api, route, { request, caller, project })
  } finally {
    api.inFlight.leave(caller.keyId)
  }
  reply.code(route.answer.status).headers(DATA_HEADERS)
  if (route.answer.schema === undefined) return reply.send()
  return reply
    .type('application/json; charset=utf-8')
    .send(route.serialize?.(result) ?? JSON.stringify(result))
}

/** Carries the request out, unless it was before and its answer is still known (rule C7). */
async function handle(
  { engine, guesses }: Api,
  route: Route,
  { request, caller, project }: { request: FastifyRequest; caller: ManagementCaller; project: Project },
): Promise<unknown> {
  const query = readQuery(route.query, request.query)
  const once = readOnce(engine, route, { request, caller, project: project.name })
  const known = await once?.recall()
  if (known !== undefined) return known.answer
  return route.handle({
    engine,
    caller,
    project: once === undefined ? project : engine.project(project.name, caller.actor, once),
    params: request.params,
    query,
    body: request.body,
    once,
    guesses,
  })
}
