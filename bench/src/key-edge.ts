import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine } from '@claviger/engine'
import { createVerifier, type Verifier } from '@claviger/verify'
import { FreshTexts } from './fresh-texts.ts'
import { AUDIENCE, requestFor } from './project.ts'
import { direct, promised, type Row } from './row.ts'
import { startClaviger } from './server-process.ts'
import { shuffled } from './shuffled.ts'

const KEY_COUNT = 20_000
const EMBEDDED = 'the embedded engine'
const EDGE = 'beside a server'
const KEY = { name: 'bench', permissions: ['documents:read', 'billing:*'] }

interface Side {
  readonly name: string
  readonly verifier: Pick<Verifier, 'verify' | 'verifyCached'>
  readonly created: string[]
}

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
  const here = await makeKeys(async () => (await project.keys.create(KEY)).credential)
  const there = await makeKeys(async () => JSON.parse(await server.call('POST', '/v1/keys', KEY)).credential)
  const sides: readonly Side[] = [
    { name: EMBEDDED, verifier: embedded, created: here },
    { name: EDGE, verifier: edge, created: there },
  ]
  await fill(sides)
  const contenders = sides.map(({ name, verifier, created }) => {
    const texts = new FreshTexts(shuffled(created))
    return way === 'verify'
      ? promised(
          name,
          () => texts.make(),
          async (credential) => (await verifier.verify(requestFor(credential))).ok,
        )
      : direct(
          name,
          () => texts.make(),
          (credential) => verifier.verifyCached(requestFor(credential))?.ok === true,
        )
  })
  return {
    title: `Key, seen before, beside a server and in the engine: ${way}`,
    measures:
      `${KEY_COUNT.toLocaleString('en')} keys each, all cached, in an order that is none, and cached in turns, so that the two lie alike in memory. Beside a server a verdict also looks ` +
      'at its lease, and its time is never behind the server’s.',
    // As many that the one begins as that the other does: who ended the last round finds his keys still in the caches.
    rounds: { contenders, warmUp: 10, counted: 100, passSize: KEY_COUNT },
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

/** So many at once as a busy service asks for. */
const AT_ONCE = 100

async function makeKeys(makeOne: () => Promise<string>): Promise<string[]> {
  const texts: string[] = []
  while (texts.length < KEY_COUNT)
    texts.push(...(await Promise.all(Array.from({ length: AT_ONCE }, makeOne))))
  return texts
}

/** In turns, and each begins as often as the other: what lies first in memory is found sooner. */
async function fill(sides: readonly Side[]): Promise<void> {
  for (let first = 0; first < KEY_COUNT; first += AT_ONCE) {
    const order = (first / AT_ONCE) % 2 === 0 ? sides : sides.toReversed()
    for (const { verifier, created } of order) {
      const some = new FreshTexts(created.slice(first, first + AT_ONCE)).make()
      await Promise.all(some.map((credential) => verifier.verify(requestFor(credential))))
    }
  }
}
