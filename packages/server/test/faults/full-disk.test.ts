import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Answer, type SourceChange, startServer } from './child-server.ts'
import { type Mutation, prepareMutations } from './mutations.ts'

const DISK = '16m'
const LEFT_BYTES = 400 * 1024
const PARALLEL = 40
const MAX_ROUNDS = 40
const RECOVERY_MS = 10_000

interface Disk {
  readonly data: string
  readonly changes: readonly SourceChange[]
  fill(): void
  free(): void
  remove(): void
}

/** A file system of its own; undefined where this process may not mount one. */
function mountDisk(): Disk | undefined {
  const mountPoint = mkdtempSync(join(tmpdir(), 'claviger-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'claviger', mountPoint])
  if (mounted.status !== 0) {
    rmSync(mountPoint, { recursive: true })
    return undefined
  }
  const filler = join(mountPoint, 'filler')
  return {
    data: join(mountPoint, 'data'),
    changes: [],
    fill() {
      const file = openSync(filler, 'w')
      const chunk = Buffer.alloc(64 * 1024)
      let written = 0
      try {
        for (;;) written += writeSync(file, chunk)
      } catch {
        truncateSync(filler, written - LEFT_BYTES)
      }
      closeSync(file)
    },
    free: () => rmSync(filler),
    remove() {
      spawnSync('umount', [mountPoint])
      rmSync(mountPoint, { recursive: true, force: true })
    },
  }
}

/** A database that may not grow while a file stands beside it: full for SQLite, wherever the tests run. */
function limitDatabase(): Disk {
  const data = mkdtempSync(join(tmpdir(), 'claviger-limit-'))
  const marker = join(data, 'full')
  const file = 'engine/src/storage/open-database.ts'
  const from =
    "  return { sqlite, db: new Kysely({ dialect: sqliteDialect(sqlite, { outsideTransaction: 'refuse' }) }) }"
  const to = `  setInterval(() => {
    const full = process.getBuiltinModule('node:fs').existsSync(${JSON.stringify(marker)})
    sqlite.exec('PRAGMA max_page_count = ' + (full ? 1 : 1_000_000))
  }, 20).unref()
${from}`
  return {
    data,
    changes: [{ file, from, to }],
    fill: () => mkdirSync(marker),
    free: () => rmSync(marker, { recursive: true }),
    remove: () => rmSync(data, { recursive: true, force: true }),
  }
}

const DISKS = [
  { name: 'a mounted disk', open: mountDisk },
  { name: 'a limited database', open: limitDatabase },
]

test.for(DISKS)(
  '$name that is full refuses on every route that writes, loosens nothing, keeps all, and goes on with room (rule C4)',
  { timeout: 180_000 },
  async ({ name, open }, { skip }) => {
    const disk = open()
    // Where CI is set a skipped test is a failure (.ci/tests.ts): there it may mount.
    if (disk === undefined) return skip('mounting is not permitted here')
    let server = await startServer(disk.data, { changes: disk.changes })
    try {
      const create = (): Promise<Answer> =>
        server.call('POST', '/v1/keys', { name: 'kept', metadata: { filling: 'x'.repeat(3000) } })
      const kept: string[] = []
      const ended: string[] = []
      const expectAllKept = async (): Promise<void> => {
        for (const text of kept) expect(await server.verdict(text)).toBe('ok')
        for (const text of ended) expect(await server.verdict(text)).toMatch(/^(revoked|rotated_out)$/)
        expect(await server.verdict('clv_neither_key_nor_token')).not.toBe('ok')
      }

      const first = await Promise.all(Array.from({ length: 12 }, create))
      const [revoked, rotated, ...others] = first.map(({ body }) => body)
      expect((await server.call('POST', `/v1/keys/${revoked.id}/revoke`, {})).status).toBe(200)
      const rotation = await server.call('POST', `/v1/keys/${rotated.id}/rotate`, { overlapSeconds: 0 })
      ended.push(revoked.credential, rotated.credential)
      kept.push(rotation.body.credential, ...others.map(({ credential }) => credential))

      const mutations = await prepareMutations(server)
      const done = new Set<Mutation>()
      const mutate = async (): Promise<string[]> => {
        const refused: string[] = []
        for (const mutation of mutations) {
          if (done.has(mutation)) continue
          const { operationId, method, path, body, success } = mutation
          const answer = await server.call(method, path, body)
          if (answer.status === success) done.add(mutation)
          else refused.push(`${operationId}: ${answer.status} ${answer.body.code}`)
        }
        return refused
      }
      const expectEnds = async (): Promise<void> => {
        for (const mutation of mutations.filter(({ ends }) => ends !== undefined)) {
          const { operationId, ends } = mutation
          const verdict = await server.verdict(ends?.credential ?? '')
          expect(verdict, operationId).toBe(done.has(mutation) ? ends?.verdict : 'ok')
        }
      }

      disk.fill()
      const refusals: Answer[] = []
      for (let round = 0; round < MAX_ROUNDS && refusals.length < PARALLEL; round++) {
        for (const answer of await Promise.all(Array.from({ length: PARALLEL }, create))) {
          if (answer.status === 201) kept.push(answer.body.credential)
          else refusals.push(answer)
        }
      }
      expect(refusals.length).toBeGreaterThanOrEqual(PARALLEL)
      for (const { status, body } of refusals) {
        expect({ status, code: body.code }).toEqual({ status: 507, code: 'storage_full' })
      }
      expect(server.lines.join('\n')).toMatch(/A batch was undone|A command failed/)
      await expectAllKept()
      const refused = await mutate()
      expect(refused.filter((answer) => !answer.endsWith(': 507 storage_full'))).toEqual([])
      expect(refused.length).toBeGreaterThan(mutations.length / 2)
      await expectEnds()
      // Smaller writes may still find room, so what is asked follows upon one that did not.
      expect((await create()).status).toBe(507)
      const full = await server.call('GET', '/readyz')
      expect(full).toMatchObject({
        status: 200,
        body: { status: 'degraded', problems: ['storage_full'] },
      })

      disk.free()
      const roomAt = performance.now()
      let again = await create()
      while (again.status !== 201 && performance.now() - roomAt < RECOVERY_MS) {
        await sleep(50)
        again = await create()
      }
      expect(again.status).toBe(201)
      kept.push(again.body.credential)
      expect((await server.call('GET', '/readyz')).body).toEqual({ status: 'ready', problems: [] })
      // What was refused has changed nothing: the very same calls succeed now.
      expect(await mutate()).toEqual([])
      await expectEnds()
      console.log(
        `${name}: ${refusals.length} creations and ${refused.length} of ${mutations.length} other calls refused, ${kept.length} kept, room used after ${Math.round(performance.now() - roomAt)} ms`,
      )
      await server.kill()
      server = await startServer(disk.data, { changes: disk.changes })
      await expectAllKept()
      await expectEnds()
    } finally {
      await server.kill()
      disk.remove()
    }
  },
)
