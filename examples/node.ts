/** A service with nothing but Node: `node examples/node.ts`, then type `key documents:read` to get a key. */
import { createServer } from 'node:http'
import { createNodeProtection } from '@claviger/verify/node'
import { portOf } from './port-of.ts'
import { openService } from './service.ts'

const service = await openService()
const { protect, answerMetadata } = createNodeProtection({
  verifier: service.verifier,
  resource: { url: 'http://localhost:3000', authorizationServers: [], scopes: ['documents:read'] },
})

const readDocuments = protect({ permissions: 'documents:read' }, (_request, response, principal) => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ id: principal.id }))
})

const server = createServer((request, response) => {
  if (answerMetadata(request, response)) return
  readDocuments(request, response).catch(() => response.writeHead(500).end())
})
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => service.run(portOf(server)))
