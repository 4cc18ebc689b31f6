import type { Change } from '@claviger/verify'
import type { ChangeTable } from '../storage/schema.ts'

/** A change as its row says it. */
export function readChange(row: ChangeTable): Change {
  return {
    position: { epoch: row.epoch, number: row.number },
    atMs: row.at_ms,
    commandId: row.command_id,
    facts: JSON.parse(row.facts),
  }
}
