import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine } from '@claviger/engine'
import { createVerifier } from '@claviger/verify'
import { FreshTexts } from './fresh-texts.ts'
import { AUDIENCE, requestFor } from './project.ts'
import { direct, promised, type Row } from './row.ts'
import { startClaviger } from './server-process.ts'

const KEY_COUNT = 4_000
const EMBEDDED = 'the embedded engine'
const EDGE = 'beside a server'
const KEY = { name: 'bench', permissions: ['documents:read', 'billing:*'] }

/** A verifier beside a server and one in an engine of this process, on as many keys of the same kind. */
export async function keyEdge(way: 'verify' | 'verifyCached'): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'))
  const engine = await createEngine({ database: `sqlite:${join(folder, 'engine', 'claviger.db')}` })
  const project = engine.project('default')
  const server = await startClaviger(join(folder, 'server'))
  const made = await server.call('POST', '/v1/management-keys', {
    name: 'edge',
    project: 'default',
    preset: 'edge',
  })
  const edge = await createVerifier({ url: server.url, key: JSON.parse(made).credential, audience: AUDIENCE })
  const embedded = await project.verifier({ audience: AUDIENCE })
  const numbers = Array.from({ length: KEY_COUNT }, (_, index) => index)
  const here = await Promise.all(numbers.map(async () => (await project.keys.create(KEY)).credential))
  const there: string[] = []
  for (const _ of numbers) there.push(JSON.parse(await server.call('POST', '/v1/keys', KEY)).credential)
  const sides = [
    { name: EMBEDDED, verifier: embedded, texts: new FreshTexts(here) },
    { name: EDGE, verifier: edge, texts: new FreshTexts(there) },
  ]
  for (const { verifier, texts } of sides) {
    for (const credential of texts.make()) await verifier.verify(requestFor(credential))
  }
  const contenders = sides.map(({ name, verifier, texts }) =>
    way === 'verify'
      ? promised(
          name,
          () => texts.make(),
          async (credential) => (await verifier.verify(requestFor(credential))).ok,
        )
      : direct(
          name,
          () => texts.make(),
          (credential) => verifier.verifyCached(requestFor(credential))?.ok === true,
        ),
  )
  return {
    title: `Key, seen before, beside a server and in the engine: ${way}`,
    measures:
      `${KEY_COUNT.toLocaleString('en')} keys each, all cached. Beside a server a verdict reads one clock more: its lease ` +
      'is looked at by both, and its time is never behind the server’s.',
    rounds: { contenders, warmUp: 10, counted: 101, passSize: KEY_COUNT },
    reference: EMBEDDED,
    aims: [{ contender: EDGE, against: EMBEDDED, atLeast: 0.95 }],
    async close() {
      await edge.close()
      await server.close()
      await engine.close()
      rmSync(folder, { recursive: true })
    },
  }
}
