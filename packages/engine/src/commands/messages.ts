import type { AuditKeys } from '../audit/audit-keys.ts'
import type { ClockHandle } from '../clock.ts'
import type { ErrorCode } from '../coded-error.ts'
import type { JournalPlace } from '../journal/segment.ts'
import type { ChangeTable } from '../storage/schema.ts'
import type { Actor } from './command.ts'

/** What the writer thread is started with. */
export interface WriterSettings {
  readonly databaseFile: string
  readonly clock: ClockHandle
  readonly masterKeyFingerprint: string
  readonly auditKeys: AuditKeys
  readonly journal: JournalPlace
  readonly clockBehind: 'refuse' | 'accept'
  /** The module whose export `commands` holds what may be run. */
  readonly registryUrl: string
}

/** A command on its way to the writer thread. */
export interface QueuedCommand {
  readonly id: string
  readonly name: string
  readonly args: unknown
  readonly actor: Actor
  /** Set: the request carried an idempotency key. */
  readonly once?: OnceRecord
}

/** What is stored beside the command of a request that carries an idempotency key (rule C7). */
export interface OnceRecord {
  readonly callerId: string
  readonly keyMac: string
  readonly requestMac: string
  readonly sealed: Uint8Array | null
}

/**
 * What became of a command. A success is given as it was stored, so that the first answer and one looked up
 * again after an unknown outcome (rule C5) are the same text.
 */
export type Outcome =
  | {
      readonly ok: true
      readonly commandId: string
      /** JSON; empty for nothing. */
      readonly result: string
      readonly changes: readonly ChangeTable[]
      /** Set: nothing ran. The same request ran this before, and the result is that of then. */
      readonly recalled?: { readonly sealed: Uint8Array | null }
    }
  | { readonly ok: false; readonly commandId: string; readonly code: ErrorCode; readonly detail: string }

/** An error that nobody expected, for the log of the node. No caller is shown its cause. */
export interface Problem {
  readonly message: string
  readonly command?: string
  readonly commandId?: string
  /** The error's own text and stack. */
  readonly cause: string
}

export type ToWriter = { readonly type: 'run'; readonly command: QueuedCommand } | { readonly type: 'close' }

export type FromWriter =
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly detail: string }
  /** Everything that one transaction settled, in commit order, and how long it took from its begin to its end. */
  | { readonly type: 'answers'; readonly outcomes: readonly Outcome[]; readonly tookMs: number }
  | { readonly type: 'problem'; readonly problem: Problem }
