import type { Session } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { AuditChain } from '../audit/audit-chain.ts'
import type { Clock } from '../clock.ts'
import { CodedError } from '../coded-error.ts'
import { type Journal, JournalBroken } from '../journal/journal.ts'
import { takesAway } from '../journal/takes-away.ts'
import { lowestId } from '../random.ts'
import { lastMigration } from '../storage/migrate.ts'
import type { OpenDatabase } from '../storage/open-database.ts'
import type { Schema } from '../storage/schema.ts'
import { toCodedError } from '../storage/sqlite-error.ts'
import type { Outcome, Problem, QueuedCommand } from './messages.ts'
import type { CommandMap } from './registry.ts'
import { recallCommand, runCommand } from './run-command.ts'

/** What batches run on. */
export interface BatchMachine {
  readonly database: OpenDatabase
  readonly registry: CommandMap
  readonly clock: Clock
  readonly auditChain: AuditChain
  /** Has what takes something away before the commit has it (rule B1). */
  readonly journal: Journal
  readonly logProblem: (problem: Problem) => void
}

const DAY_MS = 86_400_000
/** Twice what a batch can add, so that pruning keeps up and never makes a batch wait for long. */
const PRUNE_LIMIT = 512
const RECALL_ATTEMPTS = 50
const RECALL_PAUSE_MS = 200

/** The error ended the whole transaction, or may have: nothing that ran in it counts. */
class TransactionLost extends Error {}

/**
 * Runs the commands one after another in one transaction (rule C2) and answers what became of each, in their order,
 * once the commit returned (rule C4). A command that fails undoes only itself.
 *
 * When the transaction is lost, each command runs again in one of its own, unless it turns out to be stored (rule
 * C5). Throws only when it cannot be found out whether a command was stored: the caller must stop then.
 */
export async function runBatch(
  machine: BatchMachine,
  batch: readonly QueuedCommand[],
): Promise<readonly Outcome[]> {
  const { sqlite } = machine.database
  try {
    sqlite.exec('BEGIN IMMEDIATE')
  } catch (error) {
    return batch.map((command) => refuse(machine, command, error))
  }
  try {
    return await runInTransaction(machine, batch)
  } catch (error) {
    if (error instanceof JournalBroken) throw error
    rollBack(machine)
    logProblem(machine, 'A batch was undone, and its commands run one by one.', error)
  }
  const outcomes: Outcome[] = []
  for (const command of batch) outcomes.push(...(await replay(machine, command)))
  return outcomes
}

/** Commits what succeeded. Throws when the transaction is lost, or its commit fails. */
async function runInTransaction(
  machine: BatchMachine,
  batch: readonly QueuedCommand[],
): Promise<readonly Outcome[]> {
  // Every row that is written from here on: the journal has all of them or none.
  const session = machine.database.sqlite.createSession()
  try {
    return await runRecorded(machine, batch, session)
  } finally {
    session.close()
  }
}

async function runRecorded(
  machine: BatchMachine,
  batch: readonly QueuedCommand[],
  session: Session,
): Promise<readonly Outcome[]> {
  const { sqlite, db } = machine.database
  machine.auditChain.forget()
  const installation = await settleJournal(machine)
  let lastMs = installation.last_commit_at_ms
  const outcomes: Outcome[] = []
  for (const command of batch) {
    // A clock that is set back under a running node does not take time back that a commit has shown: what had ended
    // stays ended, and a project's times rise with its positions. This is for people and for expiry; what is older
    // than what is decided by positions alone (rule V2).
    const nowMs = Math.max(machine.clock.nowMs(), lastMs)
    const outcome = await runInSavepoint(machine, command, nowMs)
    if (outcome.ok) lastMs = nowMs
    outcomes.push(outcome)
  }
  if (!outcomes.some(({ ok }) => ok)) {
    sqlite.exec('ROLLBACK')
    return outcomes
  }
  await pruneCommands(machine, lastMs)
  const commit = installation.commit_number + 1
  const counted = { last_commit_at_ms: lastMs, commit_number: commit }
  if (await takeAway(db, outcomes)) {
    await db
      .updateTable('installation')
      .set({ ...counted, journaled: commit })
      .execute()
    machine.journal.append({
      commit,
      previous: installation.journaled,
      atMs: lastMs,
      version: await lastMigration(db),
      patchset: session.patchset(),
    })
  } else {
    await db.updateTable('installation').set(counted).execute()
  }
  sqlite.exec('COMMIT')
  machine.journal.settle(commit)
  return outcomes
}

async function takeAway(db: Kysely<Schema>, outcomes: readonly Outcome[]): Promise<boolean> {
  for (const outcome of outcomes) {
    if (!outcome.ok) continue
    for (const change of outcome.changes) if (await takesAway(db, change)) return true
  }
  return false
}

/** Reads where the database stands, which tells the journal whether its last record was committed. */
async function settleJournal({ database: { db }, journal }: BatchMachine) {
  const installation = await db
    .selectFrom('installation')
    .select(['last_commit_at_ms', 'commit_number', 'journaled'])
    .executeTakeFirstOrThrow()
  journal.settle(installation.commit_number)
  return installation
}

async function runInSavepoint(
  machine: BatchMachine,
  command: QueuedCommand,
  nowMs: number,
): Promise<Outcome> {
  const { sqlite, db } = machine.database
  sqlite.exec('SAVEPOINT command')
  try {
    const success = await runCommand(db, machine.registry, { command, nowMs, auditChain: machine.auditChain })
    sqlite.exec('RELEASE command')
    return success
  } catch (error) {
    machine.auditChain.forget()
    if (!sqlite.isTransaction) throw new TransactionLost('SQLite ended the transaction', { cause: error })
    sqlite.exec('ROLLBACK TO command; RELEASE command')
    return refuse(machine, command, error)
  }
}

/** Runs one command of a lost transaction in a transaction of its own, unless it is stored already (rule C5). */
async function replay(machine: BatchMachine, command: QueuedCommand): Promise<readonly Outcome[]> {
  const { sqlite, db } = machine.database
  try {
    sqlite.exec('BEGIN IMMEDIATE')
    const stored = await recallCommand(db, command.id)
    if (stored === undefined) return await runInTransaction(machine, [command])
    await settleJournal(machine)
    sqlite.exec('ROLLBACK')
    return [stored]
  } catch (error) {
    if (error instanceof JournalBroken) throw error
    rollBack(machine)
    return [(await recallUntilKnown(machine, command)) ?? refuse(machine, command, causeOf(error))]
  }
}

/**
 * Looks up whether a command is stored after its own commit failed. A database that cannot even be read is given
 * ten seconds to come back; then it throws, because no answer would be honest.
 */
async function recallUntilKnown(machine: BatchMachine, command: QueuedCommand): Promise<Outcome | undefined> {
  const { sqlite, db } = machine.database
  for (let attempt = 1; ; attempt++) {
    try {
      sqlite.exec('BEGIN')
      const stored = await recallCommand(db, command.id)
      await settleJournal(machine)
      sqlite.exec('ROLLBACK')
      return stored
    } catch (error) {
      if (error instanceof JournalBroken) throw error
      rollBack(machine)
      if (attempt === RECALL_ATTEMPTS) throw error
      await sleep(RECALL_PAUSE_MS)
    }
  }
}

function rollBack({ database: { sqlite } }: BatchMachine): void {
  if (sqlite.isTransaction) sqlite.exec('ROLLBACK')
}

/** Forgets what was answered more than a day ago. Ids rise with time: with nothing to forget it is one look-up. */
async function pruneCommands({ database: { db } }: BatchMachine, nowMs: number): Promise<void> {
  const expired = db
    .selectFrom('commands')
    .select('id')
    .where('id', '<', lowestId('cmd', nowMs - DAY_MS))
    .where('at_ms', '<', nowMs - DAY_MS)
    .orderBy('id')
    .limit(PRUNE_LIMIT)
  await db.deleteFrom('idempotency_keys').where('command_id', 'in', expired).execute()
  await db.deleteFrom('commands').where('id', 'in', expired).execute()
}

/** What the caller is told. An error that nobody expected goes to the log with its cause. */
function refuse(machine: BatchMachine, command: QueuedCommand, error: unknown): Outcome {
  const { code, message } = toCodedError(error)
  if (!(error instanceof CodedError)) logProblem(machine, 'A command failed.', error, command)
  return { ok: false, commandId: command.id, code, detail: message }
}

function causeOf(error: unknown): unknown {
  return error instanceof TransactionLost ? error.cause : error
}

function logProblem(machine: BatchMachine, message: string, error: unknown, command?: QueuedCommand): void {
  const origin = causeOf(error)
  const cause = origin instanceof Error ? (origin.stack ?? origin.message) : String(origin)
  machine.logProblem({
    message,
    cause,
    ...(command === undefined ? {} : { command: command.name, commandId: command.id }),
  })
}
