import type { Fact, Position } from '@claviger/verify'
import type { Kysely } from 'kysely'
import type { AuditChain } from '../audit/audit-chain.ts'
import type { Schema } from '../storage/schema.ts'

/** On whose behalf a command runs. Rights of a management key are read again inside the transaction. */
export type Actor =
  /** The program that embeds the engine, or the node itself: may do everything. */
  | { readonly kind: 'embedder' }
  | { readonly kind: 'installation' }
  /** `digest`: of the text that was presented, which may end before the key does (rule V6); absent: the key is named. */
  | {
      readonly kind: 'management-key'
      readonly keyId: string
      readonly digest?: string
      /** For the audit. */
      readonly origin?: RequestOrigin
    }

/** Where a request came from. */
export interface RequestOrigin {
  /** The client's IP address. */
  readonly address?: string
  /** The id that answer and log have it under. */
  readonly requestId?: string
}

/** What a running command sees. It lives on the writer thread, inside the command's transaction. */
export interface CommandContext {
  readonly db: Kysely<Schema>
  /** Epoch milliseconds, read when the command began to run, not when it was queued (rule C1). */
  readonly nowMs: number
  readonly commandId: string
  readonly actor: Actor
  readonly auditChain: AuditChain
  /**
   * The place that this command's change takes in the project's feed. The first call locks the project's head
   * and takes the next number; later calls answer the same (rules C2, C3).
   */
  position(projectId: string): Promise<Position>
  /** Adds facts to the command's one change in that project. */
  emit(projectId: string, ...facts: Fact[]): Promise<void>
  /** Writes the audit entry. A command that makes a change writes at least one, or it is undone. */
  audit(entry: AuditEntry): Promise<void>
}

export interface AuditEntry {
  readonly projectId: string
  /** `key.create`, `role.put` … */
  readonly action: string
  /** The id or name of what was acted on. */
  readonly target: string
  readonly detail?: Readonly<Record<string, unknown>>
  /** Absent: `done`. */
  readonly outcome?: 'done' | 'refused'
  /** Whose deed it was, where that is not the command's own actor. */
  readonly caller?: RequestOrigin & { readonly name: string }
}

/**
 * A named mutation: load, check and write happen inside it, and it ends with the row, the audit entry and the
 * change (rule C1). Arguments and result are serialisable; random bytes, ids and key pairs come in the arguments.
 * It fails by throwing a `CodedError`, which undoes this command alone.
 */
export type Command<Args, Result> = (context: CommandContext, args: Args) => Promise<Result>
