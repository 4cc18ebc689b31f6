import { platform, setPriority } from 'node:os'
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { AuditChain } from '../audit/audit-chain.ts'
import { migrateAudited } from '../audit/migrate-audited.ts'
import { type Clock, openClock } from '../clock.ts'
import { CodedError } from '../coded-error.ts'
import type { Journal } from '../journal/journal.ts'
import { openJournal, repeatInterrupted } from '../journal/open-journal.ts'
import { newId, systemRandom } from '../random.ts'
import { type OpenDatabase, openForWriting } from '../storage/open-database.ts'
import { newInstallationNames, openInstallation, requireMasterKey } from '../storage/open-installation.ts'
import type { FromWriter, QueuedCommand, ToWriter, WriterSettings } from './messages.ts'
import type { CommandMap } from './registry.ts'
import { type BatchMachine, runBatch } from './run-batch.ts'

/** Commands a transaction: enough that the wait for the disk is shared, few enough that none waits for long. */
const BATCH_LIMIT = 256

const NICENESS = 10

/** The writer thread (rule C2): the one place of this process where the database is written. */
async function main(port: MessagePort, settings: WriterSettings): Promise<void> {
  const send = (message: FromWriter): void => port.postMessage(message)
  const clock = openClock(settings.clock)
  let machine: BatchMachine
  try {
    const { commands } = (await import(settings.registryUrl)) as { commands: CommandMap }
    const auditChain = new AuditChain(settings.auditKeys)
    const database = await openDatabase(settings, { clock, auditChain })
    const logProblem: BatchMachine['logProblem'] = (problem) => send({ type: 'problem', problem })
    const journal = await openJournalOf(database, settings, { nowMs: clock.nowMs(), logProblem })
    machine = { database, registry: commands, clock, auditChain, journal, logProblem }
  } catch (error) {
    const refusal = error instanceof CodedError ? error : cannotOpen(settings, error)
    send({ type: 'refused', code: refusal.code, detail: refusal.message })
    port.close()
    return
  }
  serve(port, machine)
  send({ type: 'ready' })
}

/** Everything or nothing of a start is stored: tables, first row, an accepted clock. */
async function openDatabase(
  settings: WriterSettings,
  { clock, auditChain }: { readonly clock: Clock; readonly auditChain: AuditChain },
): Promise<OpenDatabase> {
  const database = openForWriting(settings.databaseFile)
  const nowMs = clock.nowMs()
  try {
    database.sqlite.exec('BEGIN IMMEDIATE')
    await requireMasterKey(database.db, settings.masterKeyFingerprint)
    await repeatInterrupted(database, settings.journal)
    const commandId = newId('cmd', nowMs, systemRandom())
    await migrateAudited(database.db, auditChain, { atMs: nowMs, commandId })
    await openInstallation(database.db, {
      nowMs,
      auditChain,
      masterKeyFingerprint: settings.masterKeyFingerprint,
      clockBehind: settings.clockBehind,
      commandId,
      names: newInstallationNames(systemRandom()),
    })
    database.sqlite.exec('COMMIT')
    return database
  } catch (error) {
    database.sqlite.close()
    throw error
  }
}

/** After the commit, for the journal names the installation: a start that dies between leaves none behind. */
async function openJournalOf(
  database: OpenDatabase,
  { journal }: WriterSettings,
  start: Parameters<typeof openJournal>[2],
): Promise<Journal> {
  database.sqlite.exec('BEGIN')
  try {
    const opened = await openJournal(database, journal, start)
    database.sqlite.exec('ROLLBACK')
    return opened
  } catch (error) {
    database.sqlite.close()
    throw error
  }
}

/** Takes what has arrived, runs it as one batch, answers, and looks again (group commit). */
function serve(port: MessagePort, machine: BatchMachine): void {
  const queue: ToWriter[] = []
  let working = false

  async function work(): Promise<void> {
    working = true
    for (let batch = takeBatch(port, queue); batch.length > 0; batch = takeBatch(port, queue)) {
      const begunAtMs = performance.now()
      const outcomes = await runBatch(machine, batch)
      const tookMs = performance.now() - begunAtMs
      port.postMessage({ type: 'answers', outcomes, tookMs } satisfies FromWriter)
    }
    working = false
    if (queue[0]?.type === 'close') stop(port, machine)
  }

  // What `work` throws is not caught: the thread dies, and every call is refused.
  port.on('message', (message: ToWriter) => {
    queue.push(message)
    if (!working) void work()
  })
}

/** The commands that wait, in order; none once the next thing to do is to close. */
function takeBatch(port: MessagePort, queue: ToWriter[]): QueuedCommand[] {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    queue.push(next.message)
  }
  const batch: QueuedCommand[] = []
  while (batch.length < BATCH_LIMIT) {
    const next = queue[0]
    if (next?.type !== 'run') break
    batch.push(next.command)
    queue.shift()
  }
  return batch
}

function stop(port: MessagePort, { database: { sqlite }, journal }: BatchMachine): void {
  journal.close()
  sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  sqlite.close()
  port.close()
}

/**
 * Where cores are scarce, verifications on the caller's thread go before writing. Linux keeps a priority for each thread;
 * elsewhere it is the whole process's, which is not ours to lower.
 */
function giveWay(): void {
  if (platform() === 'linux') setPriority(NICENESS)
}

function cannotOpen({ databaseFile }: WriterSettings, error: unknown): CodedError {
  const reason = error instanceof Error ? error.message : String(error)
  return new CodedError('unavailable', `${databaseFile} cannot be opened for writing: ${reason}`)
}

if (parentPort === null) throw new TypeError('the writer thread is started by Writer.start')
giveWay()
await main(parentPort, workerData)
