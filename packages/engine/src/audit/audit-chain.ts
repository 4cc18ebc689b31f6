import type { Kysely } from 'kysely'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import type { AuditTable, Schema } from '../storage/schema.ts'
import type { AuditKeys } from './audit-keys.ts'
import { CHAIN_START, type ChainPoint, type EntryContent, macOf } from './entry-mac.ts'

const insertEntry = new PreparedQuery((db, parameter: Parameter<AuditTable>) =>
  db.insertInto('audit').values({
    project_id: parameter('project_id'),
    sequence: parameter('sequence'),
    at_ms: parameter('at_ms'),
    command_id: parameter('command_id'),
    actor: parameter('actor'),
    action: parameter('action'),
    target: parameter('target'),
    outcome: parameter('outcome'),
    address: parameter('address'),
    request_id: parameter('request_id'),
    detail: parameter('detail'),
    mac: parameter('mac'),
  } satisfies AuditTable),
)

/**
 * The chains of an installation, as the writer thread extends them inside its transactions. It remembers the heads
 * that it has read or made since the last `forget`, which whoever begins or undoes a transaction must call.
 */
export class AuditChain {
  readonly keys: AuditKeys
  /** By project. Promises, so that two parts of a command that run side by side take two places, not one. */
  readonly #heads = new Map<string, Promise<ChainPoint>>()

  constructor(keys: AuditKeys) {
    this.keys = keys
  }

  /** Adds an entry at the end of its project's chain. */
  async append(db: Kysely<Schema>, entry: Omit<EntryContent, 'sequence'>): Promise<void> {
    const head = this.head(db, entry.project_id).then((previous) => this.#insert(db, entry, previous))
    this.#heads.set(entry.project_id, head)
    await head
  }

  /** The last entry's place; after pruning, or where there is none, the place that the next one follows. */
  head(db: Kysely<Schema>, projectId: string): Promise<ChainPoint> {
    const known = this.#heads.get(projectId) ?? readHead(db, projectId)
    this.#heads.set(projectId, known)
    return known
  }

  forget(): void {
    this.#heads.clear()
  }

  async #insert(
    db: Kysely<Schema>,
    entry: Omit<EntryContent, 'sequence'>,
    previous: ChainPoint,
  ): Promise<ChainPoint> {
    const content = { ...entry, sequence: previous.sequence + 1 }
    const mac = macOf(this.keys.chain, content, previous.mac)
    await insertEntry.execute(db, { ...content, mac })
    return { sequence: content.sequence, mac }
  }
}

async function readHead(db: Kysely<Schema>, projectId: string): Promise<ChainPoint> {
  const last = await db
    .selectFrom('audit')
    .select(['sequence', 'mac'])
    .where('project_id', '=', projectId)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  return last ?? CHAIN_START
}
