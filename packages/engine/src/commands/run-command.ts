import type { Fact, Position } from '@claviger/verify'
import type { Kysely } from 'kysely'
import { appendEntry } from '../audit/append-entry.ts'
import type { AuditChain } from '../audit/audit-chain.ts'
import { CodedError } from '../coded-error.ts'
import { findRecord, insertRecord } from '../idempotency/record.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import type { ChangeTable, CommandTable, Schema } from '../storage/schema.ts'
import type { CommandContext } from './command.ts'
import type { Outcome, QueuedCommand } from './messages.ts'
import type { CommandMap } from './registry.ts'

/** Every command asks for these three. */
const takePositionQuery = new PreparedQuery((db, parameter: Parameter<{ projectId: string }>) =>
  db
    .updateTable('projects')
    .set(({ eb }) => ({ head: eb('head', '+', 1) }))
    .where('id', '=', parameter('projectId'))
    .returning(['epoch', 'head']),
)

const insertChange = new PreparedQuery((db, parameter: Parameter<ChangeTable>) =>
  db.insertInto('changes').values({
    project_id: parameter('project_id'),
    epoch: parameter('epoch'),
    number: parameter('number'),
    command_id: parameter('command_id'),
    at_ms: parameter('at_ms'),
    facts: parameter('facts'),
  }),
)

const insertCommand = new PreparedQuery((db, parameter: Parameter<CommandTable>) =>
  db
    .insertInto('commands')
    .values({ id: parameter('id'), at_ms: parameter('at_ms'), result: parameter('result') }),
)

export type Success = Extract<Outcome, { ok: true }>

/** A project's place in the feed that the running command has taken, and what it tells there. */
interface OpenChange {
  readonly position: Position
  readonly facts: Fact[]
}

export interface RunningCommand {
  readonly command: QueuedCommand
  readonly nowMs: number
  readonly auditChain: AuditChain
}

/** By project. Promises, so that two parts of a command that run side by side take one place, not two. */
type OpenChanges = Map<string, Promise<OpenChange>>

/**
 * Runs one command in the open transaction, and writes its changes and its result beside its rows (rules C1, C3,
 * C5). Throws what the command throws; the caller undoes the rest.
 */
export async function runCommand(
  db: Kysely<Schema>,
  registry: CommandMap,
  { command, nowMs, auditChain }: RunningCommand,
): Promise<Success> {
  const run = Object.hasOwn(registry, command.name) ? registry[command.name] : undefined
  if (run === undefined) throw new TypeError(`no command is named ${command.name}`)
  const { once } = command
  const known = once === undefined ? undefined : await findRecord(db, once, nowMs)
  if (known !== undefined) {
    return { ok: true, commandId: command.id, result: known.result, changes: [], recalled: known }
  }
  const open: OpenChanges = new Map()
  const audited = new Set<string>()
  const context = createContext(db, { command, nowMs, auditChain, open, audited })
  // The caller's side checked the arguments against this very command's type (Writer.run).
  const result = JSON.stringify(await run(context, command.args as never)) ?? ''
  const changes: ChangeTable[] = []
  // A place once taken is a change, even one that tells nothing: the feed has no gaps.
  for (const [projectId, opened] of open) {
    const { position, facts } = await opened
    requireEntry(command, facts, audited.size)
    changes.push({
      project_id: projectId,
      epoch: position.epoch,
      number: position.number,
      command_id: command.id,
      at_ms: nowMs,
      facts: JSON.stringify(facts),
    })
  }
  for (const change of changes) await insertChange.execute(db, change)
  await insertCommand.execute(db, { id: command.id, at_ms: nowMs, result })
  if (once !== undefined) await insertRecord(db, once, { commandId: command.id, nowMs })
  return { ok: true, commandId: command.id, result, changes }
}

/** What a command answered when it was stored; undefined: it never was. */
export async function recallCommand(db: Kysely<Schema>, commandId: string): Promise<Success | undefined> {
  const stored = await db
    .selectFrom('commands')
    .select('result')
    .where('id', '=', commandId)
    .executeTakeFirst()
  if (stored === undefined) return undefined
  const changes = await db
    .selectFrom('changes')
    .selectAll()
    .where('command_id', '=', commandId)
    .orderBy('project_id')
    .execute()
  return { ok: true, commandId, result: stored.result, changes }
}

function createContext(
  db: Kysely<Schema>,
  running: RunningCommand & { readonly open: OpenChanges; readonly audited: Set<string> },
): CommandContext {
  const { command, nowMs, auditChain, open, audited } = running
  const identity = { commandId: command.id, actor: command.actor }

  function openChange(projectId: string): Promise<OpenChange> {
    const opened =
      open.get(projectId) ?? takePosition(db, projectId).then((position) => ({ position, facts: [] }))
    open.set(projectId, opened)
    return opened
  }

  return {
    db,
    nowMs,
    auditChain,
    ...identity,
    position: async (projectId) => (await openChange(projectId)).position,
    emit: async (projectId, ...facts) => void (await openChange(projectId)).facts.push(...facts),
    audit: (entry) => {
      audited.add(entry.projectId)
      return appendEntry(db, auditChain, { ...entry, ...identity, atMs: nowMs })
    },
  }
}

/** A change that nobody could account for is none (rule C1). A checkpoint of the audit itself is no deed. */
function requireEntry({ name }: QueuedCommand, facts: readonly Fact[], entries: number): void {
  if (entries > 0 || facts.every(({ type }) => type === 'audit-checkpoint')) return
  throw new TypeError(`the command ${name} made a change and left no audit entry`)
}

/** Locks the project's head and moves it on by one. A command that fails gives the number back. */
async function takePosition(db: Kysely<Schema>, projectId: string): Promise<Position> {
  const [head] = await takePositionQuery.execute(db, { projectId })
  if (head === undefined) throw new CodedError('not_found', 'There is no such project.')
  return { epoch: head.epoch, number: head.head }
}
