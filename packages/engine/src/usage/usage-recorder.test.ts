import { type KeyUse, sha256 } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { type Issuing, openIssuing } from '../../test/issuing.ts'
import { readHead } from '../changes/read-head.ts'
import { CodedError } from '../coded-error.ts'
import { createKey } from '../keys/create-key.ts'
import { readKey } from '../keys/read-key.ts'
import { UsageRecorder, type UsageRecorderOptions } from './usage-recorder.ts'

let installation: TestInstallation
let issuing: Issuing

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
})
afterAll(() => installation.close())

function openRecorder(options: Partial<UsageRecorderOptions> = {}): UsageRecorder {
  return new UsageRecorder({
    writer: installation.writer,
    collect: () => issuing.verifier.takeKeyUses(),
    onFailure: (error) => {
      throw error
    },
    ...options,
  })
}

async function usageOf(keyId: string) {
  const row = await installation.reader
    .selectFrom('key_usage')
    .select(['verifications', 'last_used_at_ms'])
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  return row === undefined ? undefined : { count: row.verifications, lastUsedAtMs: row.last_used_at_ms }
}

async function verify(credential: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await issuing.verifier.verify({ credential })
}

describe('the usage of keys', () => {
  test('adds up over batches, and shows with the key', async () => {
    const recorder = openRecorder()
    const { id, credential } = await createKey(issuing.scope, { name: 'used' })
    await verify(credential, 3)
    await recorder.flush()
    expect(await usageOf(id)).toEqual({ count: 3, lastUsedAtMs: installation.clock.nowMs() })
    installation.clock.advance(5000)
    await verify(credential, 2)
    await recorder.close()
    expect(await usageOf(id)).toEqual({ count: 5, lastUsedAtMs: installation.clock.nowMs() })
    const lastUsedAt = new Date(installation.clock.nowMs()).toISOString()
    expect(await readKey(issuing.scope, id)).toMatchObject({ lastUsedAt })
  })

  test('is no change: it takes no position, tells no verifier and leaves no audit entry (C6)', async () => {
    const recorder = openRecorder()
    const { credential } = await createKey(issuing.scope, { name: 'quiet' })
    const head = await readHead(installation.reader, 'default')
    const { length } = installation.changes
    const entries = () => installation.reader.selectFrom('audit').select('sequence').execute()
    const before = (await entries()).length
    await verify(credential, 1)
    await recorder.close()
    expect(await readHead(installation.reader, 'default')).toEqual(head)
    expect(installation.changes).toHaveLength(length)
    expect(await entries()).toHaveLength(before)
  })

  test('counts what passes, and nothing that is refused', async () => {
    const recorder = openRecorder()
    const { id, credential } = await createKey(issuing.scope, { name: 'denied', ipAllow: ['10.0.0.0/8'] })
    await issuing.verifier.verify({ credential, context: { ip: '192.0.2.1' } })
    await recorder.close()
    expect(await usageOf(id)).toBeUndefined()
  })

  test('never goes back in time, in whatever order batches come', async () => {
    const use = (lastUsedAtMs: number): KeyUse => ({ keyId: 'key_order', count: 1, lastUsedAtMs })
    const batches = [[use(2000)], [use(1000)], [use(3000), { ...use(500), keyId: 'key_other' }]]
    for (const uses of batches)
      await installation.writer.run('record-usage', { uses }, { kind: 'installation' })
    expect(await usageOf('key_order')).toEqual({ count: 3, lastUsedAtMs: 3000 })
    expect(await usageOf('key_other')).toEqual({ count: 1, lastUsedAtMs: 500 })
  })

  test('of a batch that could not be written is kept for the next', async () => {
    const failures: unknown[] = []
    const full = new CodedError('storage_full', 'The disk is full.')
    let fails = true
    let uses: KeyUse[] = [{ keyId: 'key_kept', count: 2, lastUsedAtMs: 1000 }]
    const recorder = openRecorder({
      writer: {
        run: (...args) => (fails ? Promise.reject(full) : installation.writer.run(...args)),
      },
      collect: () => uses.splice(0),
      onFailure: (error) => void failures.push(error),
    })
    await recorder.flush()
    expect(failures).toEqual([full])
    fails = false
    uses = [{ keyId: 'key_kept', count: 1, lastUsedAtMs: 900 }]
    await recorder.close()
    expect(await usageOf('key_kept')).toEqual({ count: 3, lastUsedAtMs: 1000 })
  })

  test('of more keys than are kept while nothing can be written is not counted', async () => {
    const uses = Array.from({ length: 100_001 }, (_, i) => ({
      keyId: `key_many_${i}`,
      count: 1,
      lastUsedAtMs: 1,
    }))
    const recorder = openRecorder({ collect: () => uses.splice(0) })
    await recorder.close()
    expect(await usageOf('key_many_99999')).toEqual({ count: 1, lastUsedAtMs: 1 })
    expect(await usageOf('key_many_100000')).toBeUndefined()
  })

  test('holds ids and counts, and nothing of a credential', async () => {
    const recorder = openRecorder()
    const { credential } = await createKey(issuing.scope, { name: 'secret' })
    await verify(credential, 1)
    await recorder.close()
    const rows = JSON.stringify(await installation.reader.selectFrom('key_usage').selectAll().execute())
    expect(rows).not.toContain(credential)
    expect(rows).not.toContain(sha256(credential))
  })
})
