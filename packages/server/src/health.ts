import type { Engine } from '@claviger/engine'
import type { FastifyInstance } from 'fastify'
import { DATA_HEADERS } from './security-headers.ts'

/**
 * `/healthz`: the process answers. `/readyz`: whether requests may be sent here, and what is amiss, in the words of
 * `Readiness`. A full disk is told with 200: what was stored is verified all the same, on the only node that can.
 */
export function addHealth(
  server: FastifyInstance,
  { engine, isOpen }: { readonly engine: Engine; readonly isOpen: () => boolean },
): void {
  const config = { health: true, quiet: true } as const
  server.get('/healthz', { config }, (_request, reply) =>
    reply.headers(DATA_HEADERS).send({ status: 'alive' }),
  )
  server.get('/readyz', { config }, async (_request, reply) => {
    const readiness = isOpen()
      ? await engine.readiness()
      : { status: 'unavailable' as const, problems: ['starting'] }
    return reply
      .code(readiness.status === 'unavailable' ? 503 : 200)
      .headers(DATA_HEADERS)
      .send(readiness)
  })
}
