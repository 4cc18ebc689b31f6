import type { Command } from '../commands/command.ts'
import { type Period, periodEndMs, periodName, periodStartMs } from './period.ts'

export interface ReserveUnitsArgs {
  readonly projectId: string
  readonly holderKind: 'key' | 'subject'
  readonly holder: string
  readonly name: string
  readonly period: Period
  readonly limit: number
  /** How many units to set aside; as many as are left are granted. Negative: given back. */
  readonly units: number
  /** Of units that are given back: the period that they were set aside in. */
  readonly startMs?: number
}

export interface Reserved {
  readonly startMs: number
  /** Null: the period never ends. */
  readonly endMs: number | null
  /** All that was set aside in the period so far, this time included. */
  readonly reserved: number
  readonly granted: number
}

/**
 * Sets units of a limit aside for this process, which may spend them from then on without asking (rule Q2). It is no
 * change (rule C6): it takes no position, and only its own row decides. A period that is open stays so though the
 * clock goes back.
 */
export const reserveUnitsCommand: Command<ReserveUnitsArgs, Reserved> = async ({ db, nowMs }, args) => {
  const { period } = args
  const identity = {
    project_id: args.projectId,
    holder_kind: args.holderKind,
    holder: args.holder,
    name: args.name,
    period: periodName(period),
  }
  const row = await db
    .selectFrom('limit_counters')
    .select(['start_ms', 'reserved'])
    .where((eb) => eb.and(identity))
    .executeTakeFirst()
  const isOpen = row !== undefined && nowMs < periodEndMs(period, row.start_ms)
  const startMs = isOpen ? row.start_ms : periodStartMs(period, nowMs)
  const before = isOpen ? row.reserved : 0
  const granted = grantedUnits(args, { startMs, before })
  const reserved = before + granted
  const endMs = periodEndMs(period, startMs)
  const answer = { startMs, endMs: Number.isFinite(endMs) ? endMs : null, reserved, granted }
  if (granted === 0) return answer
  const state = { start_ms: startMs, ends_at_ms: answer.endMs, reserved }
  await db
    .insertInto('limit_counters')
    .values({ ...identity, ...state })
    .onConflict((conflict) =>
      conflict.columns(['project_id', 'holder_kind', 'holder', 'name', 'period']).doUpdateSet(state),
    )
    .execute()
  return answer
}

function grantedUnits(
  { units, limit, startMs }: ReserveUnitsArgs,
  now: { readonly startMs: number; readonly before: number },
): number {
  if (units >= 0) return Math.max(0, Math.min(units, limit - now.before))
  return startMs === now.startMs ? Math.max(units, -now.before) : 0
}
