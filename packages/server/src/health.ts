import type { FastifyInstance } from 'fastify'
import { DATA_HEADERS } from './security-headers.ts'

/** `/healthz`: the process answers. `/readyz`: it can do its work, so requests may be sent here. */
export function addHealth(server: FastifyInstance, isReady: () => Promise<boolean>): void {
  const config = { health: true, quiet: true } as const
  server.get('/healthz', { config }, (_request, reply) =>
    reply.headers(DATA_HEADERS).send({ status: 'alive' }),
  )
  server.get('/readyz', { config }, async (_request, reply) => {
    const ready = await isReady()
    return reply
      .code(ready ? 200 : 503)
      .headers(DATA_HEADERS)
      .send({ status: ready ? 'ready' : 'unavailable' })
  })
}
