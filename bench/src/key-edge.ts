import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine } from '@claviger/engine'
import { createVerifier, type EdgeVerifier, type Verifier } from '@claviger/verify'
import { FreshTexts } from './fresh-texts.ts'
import { AUDIENCE, requestFor } from './project.ts'
import { direct, type Row } from './row.ts'
import { startClaviger } from './server-process.ts'

const KEY_COUNT = 4_000
const EMBEDDED = 'the embedded engine, verifyCached'
const EDGE = 'beside a server, verifyCached'
const KEY = { name: 'bench', permissions: ['documents:read', 'billing:*'] }

/** A verifier beside a server and one in an engine of this process, on as many keys of the same kind. */
export async function keyEdge(): Promise<Row> {
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
  const contender = async (
    name: string,
    verifier: Verifier | EdgeVerifier,
    credentials: readonly string[],
  ) => {
    const texts = new FreshTexts(credentials)
    for (const credential of texts.make()) await verifier.verify(requestFor(credential))
    const isOk = (credential: string): boolean => verifier.verifyCached(requestFor(credential))?.ok === true
    return direct(name, () => texts.make(), isOk)
  }
  return {
    title: 'Key, seen before, beside a server and in the engine',
    measures:
      `${KEY_COUNT.toLocaleString('en')} keys each, all cached. Beside a server a verdict reads two clocks more: its lease ` +
      'is looked at by both, and its time is never behind the server’s.',
    rounds: {
      contenders: [await contender(EMBEDDED, embedded, here), await contender(EDGE, edge, there)],
      warmUp: 10,
      counted: 101,
      passSize: KEY_COUNT,
    },
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
