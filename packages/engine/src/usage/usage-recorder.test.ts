import { sha256 } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { type Issuing, openIssuing } from '../../test/issuing.ts'
import { readHead } from '../changes/read-head.ts'
import { CodedError } from '../coded-error.ts'
import { createKey } from '../keys/create-key.ts'
import { readKey } from '../keys/read-key.ts'
import { inProject, type ProjectUse } from './project-use.ts'
import { readUsage } from './read-usage.ts'
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
    collect: () => issuing.verifier.takeUses().map((use) => inProject(issuing.scope.projectId, use)),
    onFailure: (error) => {
      throw error
    },
    ...options,
  })
}

function used(keyId: string, count: number, atMs: number): ProjectUse {
  const { projectId } = issuing.scope
  return { projectId, kind: 'key', keyId, subject: 'someone', outcome: 'ok', tags: '[]', ip: '', count, atMs }
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

  test('counts as the last use of a key what passes, and nothing that is refused', async () => {
    const recorder = openRecorder()
    const { id, credential } = await createKey(issuing.scope, { name: 'denied', ipAllow: ['10.0.0.0/8'] })
    await issuing.verifier.verify({ credential, context: { ip: '192.0.2.1' } })
    await recorder.close()
    expect(await usageOf(id)).toBeUndefined()
  })

  test('never goes back in time, in whatever order batches come', async () => {
    const use = (atMs: number): ProjectUse => used('key_order', 1, atMs)
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
    let uses = [used('key_kept', 2, 1000)]
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
    uses = [used('key_kept', 1, 900)]
    await recorder.close()
    expect(await usageOf('key_kept')).toEqual({ count: 3, lastUsedAtMs: 1000 })
  })

  test('of more keys than are kept while nothing can be written is not counted', async () => {
    const uses = Array.from({ length: 50_001 }, (_, i) => used(`key_many_${i}`, 1, 1))
    const recorder = openRecorder({ collect: () => uses.splice(0) })
    await recorder.close()
    expect(await usageOf('key_many_49999')).toEqual({ count: 1, lastUsedAtMs: 1 })
    expect(await usageOf('key_many_50000')).toBeUndefined()
  })

  test('counts refusals, addresses and tags, in sums that agree by minute, hour and day', async () => {
    const recorder = openRecorder()
    const { id, credential } = await createKey(issuing.scope, { name: 'counted' })
    const calls = [
      { ip: '192.0.2.1' },
      { ip: '192.0.2.1', tags: ['b', 'a'] },
      { ip: '2001:db8::1', tags: ['a'] },
      { ip: '2001:0DB8:0:0::1' },
      { ip: 'forged <address>' },
    ]
    for (const { ip, tags } of calls) {
      await issuing.verifier.verify({ credential, context: { ip }, ...(tags && { tags }) })
      installation.clock.advance(50_000)
    }
    await issuing.verifier.verify({ credential, require: { permissions: 'a:b' } })
    await recorder.close()
    const from = new Date(installation.clock.nowMs() - 3_600_000).toISOString()
    const by = async (groupBy: string, more = {}) =>
      (await readUsage(issuing.scope, { keyId: id, from, groupBy, ...more })).items
    for (const resolution of ['minute', 'hour', 'day'])
      expect(await by('key', { resolution })).toEqual([{ key: id, verifications: 6 }])
    expect(await by('outcome')).toEqual([
      { outcome: 'insufficient_permissions', verifications: 1 },
      { outcome: 'ok', verifications: 5 },
    ])
    expect(await by('ip', { outcome: 'ok' })).toEqual([
      { ip: '192.0.2.1', verifications: 2 },
      { ip: '2001:db8::1', verifications: 2 },
      { ip: 'other', verifications: 1 },
    ])
    expect(await by('tag', { orderBy: 'verifications', limit: 2 })).toEqual([
      { tag: '', verifications: 4 },
      { tag: 'a', verifications: 2 },
    ])
    expect(await by('key', { tag: 'b' })).toEqual([{ key: id, verifications: 1 }])
  })

  test('is bounded in addresses: whoever forges them fills one row', async () => {
    const uses = Array.from({ length: 3_000 }, (_, i) => ({
      ...used('key_forged', 1, installation.clock.nowMs()),
      ip: `10.0.${i >> 8}.${i & 255}`,
    }))
    const recorder = openRecorder({ collect: () => uses.splice(0) })
    await recorder.close()
    const { items } = await readUsage(issuing.scope, { keyId: 'key_forged', groupBy: 'ip', limit: 10_000 })
    expect(items).toHaveLength(1_001)
    expect(items).toContainEqual({ ip: 'other', verifications: 2_000 })
  })

  test('of another project is not seen', async () => {
    const recorder = openRecorder({ collect: () => [used('key_ours', 1, installation.clock.nowMs())] })
    await recorder.close()
    const elsewhere = await installation.scope('claviger')
    expect((await readUsage(elsewhere, { keyId: 'key_ours' })).items).toEqual([])
  })

  test('is dropped when it is kept no longer: minutes first', async () => {
    const uses = [used('key_old', 1, installation.clock.nowMs())]
    const recorder = openRecorder({ collect: () => uses.splice(0) })
    await recorder.flush()
    installation.clock.advance(3 * 86_400_000)
    await recorder.prune()
    await recorder.close()
    const rows = await installation.reader
      .selectFrom('usage')
      .select('resolution')
      .where('key_id', '=', 'key_old')
      .execute()
    expect(rows.map(({ resolution }) => resolution)).toEqual(['day', 'hour'])
  })

  test.each([
    [{ from: '2020-01-01T00:00:00Z', resolution: 'minute' }, 'covers at most 2 days'],
    [{ groupBy: 'verifications' }, '`groupBy` is one or several of'],
    [{ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }, '`from` must be before `to`'],
  ])('is not read by a question that cannot be bounded: %j', async (question, message) => {
    await expect(readUsage(issuing.scope, question)).rejects.toThrow(message)
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
