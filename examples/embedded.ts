/**
 * The tour of the README inside one program: no server, no port, no management key.
 * Run it with Node 24: `node examples/embedded.ts` keeps its data in the folder claviger-data/embedded.
 */
import { createEngine } from '@claviger/engine'
import type { Verdict } from '@claviger/verify'

const folder = process.argv[2] ?? 'claviger-data/embedded'
const engine = await createEngine({ database: `sqlite:${folder}/claviger.db` })
const project = engine.project('default')
const verifier = await project.verifier({ audience: 'https://api.example.com' })
const say = (what: string, verdict: Verdict): void =>
  console.log(`${what}: ${verdict.ok ? `ok, ${verdict.permissions.join(' ')}` : verdict.code}`)

await project.roles.put('reader', { permissions: ['documents:read'] })
const key = await project.keys.create({ name: 'CI', roles: ['reader'] })
const read = { permissions: 'documents:read' }
say('key', await verifier.verify({ credential: key.credential, require: read }))
const write = { permissions: 'documents:write' }
say('key that asks for more', await verifier.verify({ credential: key.credential, require: write }))

const rotated = await project.keys.rotate(key.id, { overlapSeconds: 3600 })
say('former text of the key', await verifier.verify({ credential: key.credential, require: read }))
say('new text of the key', await verifier.verify({ credential: rotated.credential, require: read }))
await project.keys.revoke(key.id)
say('revoked key', await verifier.verify({ credential: rotated.credential }))

const ada = { subject: 'ada', audience: 'https://api.example.com', roles: ['reader'] }
const stolen = await project.tokens.mint(ada)
say('token', await verifier.verify({ credential: stolen.credential, require: read }))
await project.revocations.create({ subject: 'ada' })
say('token of a revoked subject', await verifier.verify({ credential: stolen.credential }))
const fresh = await project.tokens.mint(ada)
say('token minted afterwards', await verifier.verify({ credential: fresh.credential, require: read }))

await engine.close()
