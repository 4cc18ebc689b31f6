import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '@claviger/verify'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { fillKey } from '../changes/fill-key.ts'
import { createEngine } from '../create-engine.ts'
import type { Engine } from '../engine.ts'
import { openForReading, openForWriting } from './open-database.ts'

/** Every byte takes minutes: without it the ends of frames, the bytes beside them, and some between. */
const EVERY_BYTE = process.env.FAULT_EVERY_BYTE !== undefined
const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const FRAMES_LOOKED_AT = 24

/** A change that was acknowledged, and how much of the log was written by then. */
interface Acknowledged {
  readonly logBytes: number
  readonly credential: string
  readonly verdict: 'ok' | 'revoked'
}

/** A data folder as kill -9 leaves it, and what was acknowledged while it was written. */
interface Killed {
  readonly folder: string
  readonly projectId: string
  /** Was in the database file before the log began: nothing that happens to the log may lose it. */
  readonly checkpointed: readonly Acknowledged[]
  readonly acknowledged: readonly Acknowledged[]
}

const openEngine = (folder: string): Promise<Engine> =>
  createEngine({ database: `sqlite:${join(folder, 'claviger.db')}`, log: () => {} })

async function makeKilled(): Promise<Killed> {
  const folder = temporaryFolder()
  const log = join(folder, 'claviger.db-wal')
  const first = await openEngine(folder)
  const kept = await first.project('default').keys.create({ name: 'kept' })
  const gone = await first.project('default').keys.create({ name: 'gone' })
  await first.project('default').keys.revoke(gone.id, {})
  const { id: projectId } = await first.projects().read('default')
  await first.close()
  const checkpointed: Acknowledged[] = [
    { logBytes: 0, credential: kept.credential, verdict: 'ok' },
    { logBytes: 0, credential: gone.credential, verdict: 'revoked' },
  ]

  const engine = await openEngine(folder)
  const { keys } = engine.project('default')
  const acknowledged: Acknowledged[] = []
  for (let count = 0; count < 3; count++) {
    const { id, credential } = await keys.create({ name: `key ${count}` })
    acknowledged.push({ logBytes: readFileSync(log).length, credential, verdict: 'ok' })
    await keys.revoke(id, {})
    acknowledged.push({ logBytes: readFileSync(log).length, credential, verdict: 'revoked' })
  }
  // As it lies there while the engine runs: nobody has folded the log into the file.
  const copy = temporaryFolder()
  for (const name of ['claviger.db', 'claviger.db-wal', 'master-key']) {
    copyFileSync(join(folder, name), join(copy, name))
  }
  await engine.close()
  return { folder: copy, projectId, checkpointed, acknowledged }
}

function cutsOf(log: Buffer): number[] {
  if (EVERY_BYTE) return Array.from({ length: log.length + 1 }, (_, cut) => cut)
  const frameBytes = FRAME_HEADER_BYTES + log.readUInt32BE(8)
  const frames = Math.floor((log.length - HEADER_BYTES) / frameBytes)
  const step = Math.max(1, Math.floor(frames / FRAMES_LOOKED_AT))
  const cuts = [0, 1, HEADER_BYTES - 1, log.length]
  for (let frame = frames; frame >= 0; frame -= step) {
    const end = HEADER_BYTES + frame * frameBytes
    cuts.push(end - 1, end, end + 1, end + FRAME_HEADER_BYTES, end + Math.floor(frameBytes / 2))
  }
  return [...new Set(cuts)].filter((cut) => cut >= 0 && cut <= log.length).toSorted((a, b) => a - b)
}

/** A copy of the folder whose log is cut there. */
function cutFolder(killed: Killed, log: Buffer, cut: number): string {
  const folder = join(killed.folder, `cut-${cut}`)
  mkdirSync(folder, { mode: 0o700 })
  for (const name of ['claviger.db', 'master-key'])
    copyFileSync(join(killed.folder, name), join(folder, name))
  writeFileSync(join(folder, 'claviger.db-wal'), log.subarray(0, cut), { mode: 0o600 })
  return folder
}

/** What must be said: what the cut left whole is there, in the order of the commits, and nothing of what it took. */
function expectedAt({ checkpointed, acknowledged }: Killed, cut: number): Record<string, string> {
  const expected = new Map(acknowledged.map(({ credential }) => [credential, 'unknown']))
  for (const { logBytes, credential, verdict } of [...checkpointed, ...acknowledged]) {
    if (logBytes <= cut) expected.set(credential, verdict)
  }
  return Object.fromEntries(expected)
}

test(`the log cut at ${EVERY_BYTE ? 'every byte' : 'the ends of frames and between'} holds all that was acknowledged before the cut (rules C3, C4)`, {
  timeout: EVERY_BYTE ? 24 * 3_600_000 : 120_000,
}, async () => {
  const killed = await makeKilled()
  const log = readFileSync(join(killed.folder, 'claviger.db-wal'))
  const states = new Set<string>()
  for (const cut of cutsOf(log)) {
    const folder = cutFolder(killed, log, cut)
    const { sqlite } = openForWriting(join(folder, 'claviger.db'))
    const reader = openForReading(join(folder, 'claviger.db'))
    const said: Record<string, string> = {}
    for (const credential of Object.keys(expectedAt(killed, cut))) {
      const { key } = await fillKey(reader.db, { projectId: killed.projectId, digest: sha256(credential) })
      said[credential] = key === null ? 'unknown' : key.revoked ? 'revoked' : 'ok'
    }
    expect(said, `cut at ${cut} of ${log.length}`).toEqual(expectedAt(killed, cut))
    expect(sqlite.prepare('PRAGMA quick_check').get()).toEqual({ quick_check: 'ok' })
    states.add(Object.values(said).join())
    reader.sqlite.close()
    sqlite.close()
    rmSync(folder, { recursive: true })
  }
  // Or the cuts never fell between two commits.
  expect(states.size).toBe(killed.acknowledged.length + 1)
})

test('an engine opens on a log that was cut, decides by what is left of it, and goes on (rules C3, C4)', {
  timeout: 120_000,
}, async () => {
  const killed = await makeKilled()
  const log = readFileSync(join(killed.folder, 'claviger.db-wal'))
  const third = killed.acknowledged[2]?.logBytes ?? 0
  for (const cut of [0, third - 1, third, log.length - 1]) {
    const folder = cutFolder(killed, log, cut)
    const engine = await openEngine(folder)
    const project = engine.project('default')
    const said: Record<string, string> = {}
    for (const credential of Object.keys(expectedAt(killed, cut))) {
      const verdict = await project.verify({ credential })
      said[credential] = verdict.ok ? 'ok' : verdict.code
    }
    expect(said, `cut at ${cut} of ${log.length}`).toEqual(expectedAt(killed, cut))
    const { credential } = await project.keys.create({ name: 'after the cut' })
    expect((await project.verify({ credential })).ok).toBe(true)
    await engine.close()
  }
})
