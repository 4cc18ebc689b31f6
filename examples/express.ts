/** A service with Express: `node examples/express.ts`, then type `key documents:read` to get a key. */
import { createExpressProtection, principalOf } from '@claviger/verify/express'
import express from 'express'
import { portOf } from './port-of.ts'
import { openService } from './service.ts'

const service = await openService()
const { protect, metadata } = createExpressProtection({
  verifier: service.verifier,
  resource: { url: 'http://localhost:3000', authorizationServers: [], scopes: ['documents:read'] },
})

const app = express()
app.use(metadata)
app.get('/documents', protect({ permissions: 'documents:read' }), (request, response) => {
  response.json({ id: principalOf(request).id })
})

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', async () => {
  await service.run(portOf(server))
})
