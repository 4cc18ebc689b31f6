import { sha256 } from '@claviger/verify'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from '../../test/issuing.ts'
import { readHead } from '../changes/read-head.ts'
import { CodedError } from '../coded-error.ts'
import { createKey } from '../keys/create-key.ts'
import { readKey } from '../keys/read-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import type { Page } from '../page.ts'
import { createSession } from '../sessions/create-session.ts'
import { refreshSession } from '../sessions/refresh-session.ts'
import { mintToken } from '../tokens/mint-token.ts'
import { inProject, type ProjectUse } from './project-use.ts'
import { readUsage, type UsageView } from './read-usage.ts'
import { readUsageDays } from './resolutions.ts'
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
    days: 400,
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
    expect(await readKey(issuing.scope, id)).toMatchObject({ lastUsedAt, lastUsedFrom: null })
  })

  test('says from where a key was used last, in the one spelling of the address', async () => {
    const recorder = openRecorder()
    const { id, credential } = await createKey(issuing.scope, { name: 'placed' })
    for (const ip of ['192.0.2.1', '2001:0DB8:0:0::1']) {
      installation.clock.advance(1000)
      await issuing.verifier.verify({ credential, context: { ip } })
      await recorder.flush()
    }
    expect(await readKey(issuing.scope, id)).toMatchObject({ lastUsedFrom: '2001:db8::1' })
    installation.clock.advance(1000)
    await issuing.verifier.verify({
      credential,
      context: { ip: '192.0.2.1' },
      require: { permissions: 'a:b' },
    })
    await recorder.close()
    expect(await readKey(issuing.scope, id)).toMatchObject({ lastUsedFrom: '2001:db8::1' })
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
    const use = (atMs: number): ProjectUse => ({ ...used('key_order', 1, atMs), ip: `10.0.0.${atMs / 1000}` })
    const batches = [[use(2000)], [use(1000)], [use(3000), { ...use(500), keyId: 'key_other' }]]
    for (const uses of batches)
      await installation.writer.run('record-usage', { uses }, { kind: 'installation' })
    expect(await usageOf('key_order')).toEqual({ count: 3, lastUsedAtMs: 3000 })
    expect(await usageOf('key_other')).toEqual({ count: 1, lastUsedAtMs: 500 })
    const from = installation.reader.selectFrom('key_usage').select('last_used_from')
    expect(await from.where('key_id', '=', 'key_order').executeTakeFirst()).toEqual({
      last_used_from: '10.0.0.3',
    })
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
      expect(await by('key', { resolution })).toEqual([{ key: id, count: 6 }])
    expect(await by('outcome')).toEqual([
      { outcome: 'insufficient_permissions', count: 1 },
      { outcome: 'ok', count: 5 },
    ])
    expect(await by('ip', { outcome: 'ok' })).toEqual([
      { ip: '192.0.2.1', count: 2 },
      { ip: '2001:db8::1', count: 2 },
      { ip: 'other', count: 1 },
    ])
    expect(await by('tag', { orderBy: 'count', limit: 2 })).toEqual([
      { tag: '', count: 4 },
      { tag: 'a', count: 2 },
    ])
    expect(await by('key', { tag: 'b' })).toEqual([{ key: id, count: 1 }])
  })

  test('of tokens minted, sessions begun and refreshed is counted by who asked and for whom', async () => {
    const recorder = openRecorder({ collect: () => installation.issued.take() })
    const verbs = ['tokens:mint', 'sessions:write']
    const { id: keyId } = await createManagementKey(issuing.scope, { name: 'backend', verbs })
    const caller = issuing.as({ kind: 'management-key', keyId, origin: { address: '::ffff:192.0.2.9' } })
    const minted = { subject: 'minted', audience: AUDIENCE }
    await Promise.all([
      mintToken(caller, minted),
      mintToken(caller, minted),
      mintToken(issuing.scope, minted),
    ])
    await expect(mintToken(caller, { ...minted, permissions: ['a:b'] })).rejects.toThrow()
    const { refreshToken } = await createSession(caller, { subject: 'met', audience: AUDIENCE })
    await refreshSession(caller, { refreshToken })
    await recorder.close()
    const by = async (event: string, groupBy: string) =>
      (await readUsage(issuing.scope, { event, groupBy })).items
    expect(await by('mint', 'key,subject,ip')).toEqual([
      { key: 'embedded', subject: 'minted', ip: '', count: 1 },
      { key: keyId, subject: 'minted', ip: '192.0.2.9', count: 2 },
    ])
    expect(await by('session', 'key,subject')).toEqual([{ key: keyId, subject: 'met', count: 1 }])
    expect(await by('refresh', 'subject')).toEqual([{ subject: 'met', count: 1 }])
    expect(await by('verification', 'kind')).not.toContainEqual(expect.objectContaining({ kind: 'mint' }))
  })

  test('is read page by page in the range of the first, whatever comes meanwhile', async () => {
    const atMs = installation.clock.nowMs()
    let uses = Array.from({ length: 25 }, (_, i) => ({ ...used('key_paged', i + 1, atMs), subject: `s${i}` }))
    const recorder = openRecorder({ collect: () => uses.splice(0) })
    await recorder.flush()
    const question = { keyId: 'key_paged', groupBy: 'subject,time', limit: 7 }
    const found: UsageView[] = []
    let cursor: string | null = null
    do {
      const page: Page<UsageView> = await readUsage(issuing.scope, {
        ...question,
        ...(cursor === null ? {} : { cursor }),
      })
      found.push(...page.items)
      cursor = page.nextCursor
      installation.clock.advance(3_600_000)
      uses = [{ ...used('key_paged', 1, installation.clock.nowMs()), subject: 'later' }]
      await recorder.flush()
    } while (cursor !== null)
    await recorder.close()
    expect(found.map(({ subject }) => subject)).toEqual(Array.from({ length: 25 }, (_, i) => `s${i}`).sort())
    expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(325)
    const first = await readUsage(issuing.scope, question)
    const other = { ...question, groupBy: 'subject', cursor: first.nextCursor }
    await expect(readUsage(issuing.scope, other)).rejects.toThrow('`cursor` is none')
    expect((await readUsage(issuing.scope, { ...question, orderBy: 'count' })).nextCursor).toBeNull()
  })

  test('adds up to the same by minute, hour and day, by any group, for any uses and any clock', async () => {
    const DAY_MS = 86_400_000
    const base = installation.clock.nowMs()
    const use = fc.record({
      keyId: fc.constantFrom('key_p1', 'key_p2', ''),
      subject: fc.constantFrom('ada', 'bob', ''),
      outcome: fc.constantFrom('ok', 'revoked', 'unknown'),
      tags: fc.constantFrom('[]', '["a"]', '["a","b"]'),
      ip: fc.constantFrom('', '192.0.2.1', '2001:db8::1'),
      kind: fc.constantFrom('key' as const, 'token' as const, null),
      count: fc.integer({ min: 1, max: 50 }),
      // A clock that jumps puts uses anywhere.
      atMs: fc.integer({ min: base - DAY_MS, max: base + DAY_MS }),
    })
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(use, { maxLength: 20 }), { maxLength: 4 }), async (batches) => {
        // Each run is told apart by a subject of its own.
        const name = `run_${run++}`
        let batch: ProjectUse[] = []
        const recorder = openRecorder({ collect: () => batch.splice(0) })
        const { projectId } = issuing.scope
        for (const uses of batches) {
          batch = uses.map((given) => ({ ...given, projectId, subject: `${name}${given.subject}` }))
          await recorder.flush()
        }
        await recorder.close()
        const total = batches.flat().reduce((sum, { count }) => sum + count, 0)
        const rows = await installation.reader
          .selectFrom('usage')
          .select(({ fn }) => ['resolution', fn.sum<number>('verifications').as('sum')])
          .where('subject', 'like', `${name}%`)
          .where('subject', 'in', [name, `${name}ada`, `${name}bob`])
          .groupBy('resolution')
          .execute()
        expect(rows.map(({ sum }) => sum)).toEqual(total === 0 ? [] : [total, total, total])
        const range = {
          resolution: 'hour',
          from: new Date(base - 2 * DAY_MS).toISOString(),
          to: new Date(base + 2 * DAY_MS).toISOString(),
          limit: 10_000,
        }
        for (const groupBy of ['key', 'outcome', 'ip', 'kind', 'time', 'key,outcome,ip,kind,time']) {
          let sum = 0
          for (const suffix of ['', 'ada', 'bob']) {
            const { items } = await readUsage(issuing.scope, {
              ...range,
              groupBy,
              subject: `${name}${suffix}`,
            })
            for (const { count } of items) sum += count
          }
          expect(sum, groupBy).toBe(total)
        }
      }),
      { numRuns: 25 },
    )
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
    expect(items).toContainEqual({ ip: 'other', count: 2_000 })
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

  test('is kept as many days as the operator says', async () => {
    const uses = [used('key_short', 1, installation.clock.nowMs())]
    const recorder = openRecorder({ collect: () => uses.splice(0), days: 3 })
    await recorder.flush()
    installation.clock.advance(4 * 86_400_000 + 1)
    await recorder.prune()
    await recorder.close()
    const rows = installation.reader
      .selectFrom('usage')
      .select('resolution')
      .where('key_id', '=', 'key_short')
    expect(await rows.execute()).toEqual([])
    expect(() => readUsageDays(0)).toThrow('from 1 to 3660')
  })

  test.each([
    [{ from: '2020-01-01T00:00:00Z', resolution: 'minute' }, 'covers at most 2 days'],
    [{ groupBy: 'verifications' }, '`groupBy` is one or several of'],
    [{ ip: 'nowhere' }, '`ip` is an IP address'],
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
