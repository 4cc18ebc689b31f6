import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { openApiDocument } from './openapi/document.ts'
import { ROUTES } from './routes/table.ts'
import { protectPages } from './security-headers.ts'
import { VERSION } from './version.ts'

/** The API reference at /docs, its document at /docs/openapi.json; the front page leads there. */
export async function addPages(server: FastifyInstance): Promise<void> {
  await protectPages(server)
  const document = JSON.stringify(openApiDocument(ROUTES, VERSION))
  server.get('/docs/openapi.json', (_request, reply) =>
    reply.header('content-type', 'application/json; charset=utf-8').send(document),
  )
  server.get('/', (_request, reply) => reply.redirect('/docs', 302))
  await server.register(swagger, { mode: 'static', specification: { document: JSON.parse(document) } })
  await server.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'Claviger API' },
    uiConfig: { docExpansion: 'list', displayOperationId: true, persistAuthorization: false },
  })
}
