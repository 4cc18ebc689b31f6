/**
 * A handler from `Request` to `Response`, as Next, Workers, Deno and Bun call it: `node examples/fetch.ts`, then type
 * `key documents:read` to get a key. Node has no server of this kind, so that of Hono's makers calls it here.
 */
import type { IncomingMessage } from 'node:http'
import { createFetchProtection } from '@claviger/verify/fetch'
import { serve } from '@hono/node-server'
import { openService } from './service.ts'

const service = await openService()
const { protect, answerMetadata } = createFetchProtection<[{ incoming: IncomingMessage }]>({
  verifier: service.verifier,
  peer: (_request, { incoming }) => incoming.socket.remoteAddress,
  resource: { url: 'http://localhost:3000', authorizationServers: [], scopes: ['documents:read'] },
})

const readDocuments = protect({ permissions: 'documents:read' }, (_request, principal) =>
  Response.json({ id: principal.id }),
)

serve(
  {
    fetch: (request, { incoming }) =>
      answerMetadata(request) ?? readDocuments(request, { incoming: incoming as IncomingMessage }),
    port: Number(process.env.PORT ?? 3000),
    hostname: '127.0.0.1',
  },
  async ({ port }) => {
    await service.run(port)
  },
)
