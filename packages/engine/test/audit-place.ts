import { spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AuditCheckpoint } from '../src/audit/checkpoint.ts'
import { openOfflineAudit } from '../src/audit/offline-audit.ts'
import type { AuditVerification } from '../src/audit/verify-chain.ts'
import { manualClock } from '../src/clock.ts'
import type { Problem } from '../src/commands/messages.ts'
import { createEngine } from '../src/create-engine.ts'
import type { Engine } from '../src/engine.ts'
import { START_MS } from './installation.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** A data folder whose database another process can write into, before and behind a running engine. */
export interface AuditPlace {
  readonly file: string
  readonly clock: ReturnType<typeof manualClock>
  /** What left by the log, in order. */
  readonly checkpoints: AuditCheckpoint[]
  readonly problems: Problem[]
  start(): Promise<Engine>
  /** Runs SQL on the database in a process of its own, as whoever can write the file can. */
  tamper(sql: string): void
  /** Copies the database file of a stopped engine, and puts it back. */
  keepCopy(): () => void
  /** Checks a project without an engine, or beside a running one. */
  verify(checkpoints?: readonly AuditCheckpoint[], project?: string): Promise<AuditVerification>
}

const TAMPER = `
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(process.argv[1], { timeout: 5000 })
  database.exec(process.argv[2])
  database.close()`

/** `original`: the database of a stopped engine, of which the place gets a copy. */
export function openAuditPlace(original?: string): AuditPlace {
  const folder = temporaryFolder()
  const file = join(folder, 'claviger.db')
  if (original !== undefined) {
    copyFileSync(original, file)
    copyFileSync(join(dirname(original), 'master-key'), join(folder, 'master-key'))
  }
  const clock = manualClock(START_MS)
  const checkpoints: AuditCheckpoint[] = []
  const problems: Problem[] = []
  return {
    file,
    clock,
    checkpoints,
    problems,
    async start() {
      const engine = await createEngine({
        database: `sqlite:${file}`,
        clock,
        log: (problem) => problems.push(problem),
        onAuditCheckpoint: (checkpoint) => checkpoints.push(checkpoint),
      })
      onTestFinished(() => engine.close().catch(() => {}))
      return engine
    },
    tamper(sql) {
      const { status, stderr } = spawnSync(process.execPath, ['-e', TAMPER, file, sql], { encoding: 'utf8' })
      if (status !== 0) throw new Error(stderr)
    },
    keepCopy() {
      copyFileSync(file, `${file}.old`)
      return () => copyFileSync(`${file}.old`, file)
    },
    async verify(known = [], project = 'default') {
      const audit = await openOfflineAudit({ database: `sqlite:${file}` })
      try {
        const [report] = await audit.verify({ project, checkpoints: known })
        if (report === undefined) throw new Error('the project has no chain')
        return report
      } finally {
        audit.close()
      }
    },
  }
}

/** Fills the chain of `default` up to its ninth entry, and has it signed. */
export async function fillChain(engine: Engine): Promise<void> {
  const project = engine.project('default')
  let { lastSequence } = await project.audit.verify()
  for (; lastSequence < 9; lastSequence++) {
    await project.roles.put(`role-${lastSequence}`, { permissions: ['documents:read'] })
  }
  await engine.checkpointAudit()
}
