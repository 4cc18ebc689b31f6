import type { FastifyInstance } from 'fastify'
import { openApiDocument } from './openapi/document.ts'
import { referencePage } from './reference/reference-page.ts'
import { REFERENCE_STYLE } from './reference/reference-style.ts'
import { ROUTES } from './routes/table.ts'
import { protectPages } from './security-headers.ts'
import { VERSION } from './version.ts'

/** The API reference at /docs, its document at /docs/openapi.json; the front page leads there. */
export async function addPages(server: FastifyInstance): Promise<void> {
  await protectPages(server)
  const files = [
    ['/docs', 'text/html; charset=utf-8', referencePage(ROUTES, VERSION)],
    ['/docs/reference.css', 'text/css; charset=utf-8', REFERENCE_STYLE],
    [
      '/docs/openapi.json',
      'application/json; charset=utf-8',
      JSON.stringify(openApiDocument(ROUTES, VERSION)),
    ],
  ] as const
  for (const [path, mediaType, content] of files) {
    server.get(path, (_request, reply) => reply.header('content-type', mediaType).send(content))
  }
  server.get('/docs/', (_request, reply) => reply.redirect('/docs', 302))
  server.get('/', (_request, reply) => reply.redirect('/docs', 302))
}
