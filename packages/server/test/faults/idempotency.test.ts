import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Answer, type ChildServer, type SourceChange, startServer } from './child-server.ts'

/** Stores the key, and never says so. */
const NEVER_ANSWER: SourceChange = {
  file: 'server/src/management-api.ts',
  from: '    result = await handle(api, route, { request, caller, projectName })\n',
  to: `    result = await handle(api, route, { request, caller, projectName })
    if (route.operationId === 'createKey') await new Promise(() => {})
`,
}

test('C7: killed between commit and answer, the retry gets the same credential and makes no second key', {
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-once-'))
  try {
    const first = await startServer(folder, { changes: [NEVER_ANSWER] })
    const lost = createKey(first, folder).catch((error: unknown) => error)
    let items: readonly { readonly id: string }[] = []
    while (items.length === 0) items = (await first.call('GET', '/v1/keys')).body.items
    await first.kill()
    expect(await lost).toBeInstanceOf(Error)

    const second = await startServer(folder)
    const [one, two] = [await createKey(second, folder), await createKey(second, folder)]
    expect(one).toMatchObject({ status: 201, body: { id: items[0]?.id } })
    expect(two).toEqual(one)
    expect(await second.verdict(one.body.credential)).toBe('ok')
    expect((await second.call('GET', '/v1/keys')).body.items).toHaveLength(1)
    await second.stop()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

async function createKey({ url }: ChildServer, folder: string): Promise<Answer> {
  const rootKey = readFileSync(join(folder, 'root-key'), 'utf8').trim()
  const response = await fetch(`${url}/v1/keys`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${rootKey}`,
      'content-type': 'application/json',
      'idempotency-key': 'the-one',
    },
    body: JSON.stringify({ name: 'the one' }),
  })
  return { status: response.status, body: await response.json() }
}
