/** A service with Fastify: `node examples/fastify.ts`, then type `key documents:read` to get a key. */
import { claviger, principalOf } from '@claviger/verify/fastify'
import fastify from 'fastify'
import { portOf } from './port-of.ts'
import { openService } from './service.ts'

const service = await openService()
const app = fastify()
await app.register(claviger, {
  verifier: service.verifier,
  resource: { url: 'http://localhost:3000', authorizationServers: [], scopes: ['documents:read'] },
})

// In `onRequest` a caller is refused before the body is read; `preHandler` works too.
app.get('/documents', { onRequest: app.protect({ permissions: 'documents:read' }) }, async (request) => ({
  id: principalOf(request).id,
}))

await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })
await service.run(portOf(app.server))
