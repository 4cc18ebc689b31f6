/** A service with Hono on Node: `node examples/hono.ts`, then type `key documents:read` to get a key. */
import { createHonoProtection } from '@claviger/verify/hono'
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import { openService } from './service.ts'

const service = await openService()
const { protect, metadata } = createHonoProtection({
  verifier: service.verifier,
  peer: (context) => getConnInfo(context).remote.address,
  resource: { url: 'http://localhost:3000', authorizationServers: [], scopes: ['documents:read'] },
})

const app = new Hono()
app.use(metadata)
app.get('/documents', protect({ permissions: 'documents:read' }), (context) =>
  context.json({ id: context.var.principal.id }),
)

serve(
  { fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: '127.0.0.1' },
  async ({ port }) => {
    await service.run(port)
  },
)
