import type { ManagementCaller, Page } from '@claviger/engine'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { acceptedFormat } from './accepted-format.ts'
import { guardManagement } from './authentication.ts'
import { readOnce } from './idempotency.ts'
import { readQuery } from './query.ts'
import { type Api, RequestCall } from './request-call.ts'
import { JSON_MEDIA_TYPE, type Route, Streamed, serialize } from './routes/route.ts'
import { ROUTES } from './routes/table.ts'
import { DATA_HEADERS } from './security-headers.ts'

/** Where the cursor of the next page stands that a format has no place for. */
const CURSOR_HEADER = 'claviger-next-cursor'

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
  if (result instanceof Streamed) return reply.type(result.mediaType).send(result.body)
  if (route.answer.schema === undefined) return reply.send()
  const { formats } = route
  if (formats !== undefined) reply.header('vary', 'accept')
  const format = formats === undefined ? undefined : acceptedFormat(formats, request.headers.accept)
  if (format?.write === undefined) return reply.type(JSON_MEDIA_TYPE).send(serialize(route, result))
  const page = result as Page<unknown>
  if (page.nextCursor !== null) reply.header(CURSOR_HEADER, page.nextCursor)
  return reply.type(`${format.mediaType}; charset=utf-8`).send(format.write(page))
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
  const { body } = request
  const { accept } = request.headers
  return await route.handle(new RequestCall(api, { caller, projectName, params, query, body, once, accept }))
}
