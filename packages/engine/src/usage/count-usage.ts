import type { CommandContext } from '../commands/command.ts'
import type { ProjectUse } from './project-use.ts'
import { RESOLUTION_NAMES, startOfSpan } from './resolutions.ts'

/** Ten values a row: well under what one statement of SQLite holds. */
const ROWS_A_STATEMENT = 1_000

/**
 * Adds a batch to its minutes, hours and days in the one transaction of its command: so the sums of every resolution
 * agree, whatever ends the process.
 */
export async function countUsage(db: CommandContext['db'], uses: readonly ProjectUse[]): Promise<void> {
  const rows = uses.flatMap((use) =>
    RESOLUTION_NAMES.map((resolution) => ({
      project_id: use.projectId,
      resolution,
      start_ms: startOfSpan(use.atMs, resolution),
      kind: use.kind ?? '',
      key_id: use.keyId,
      subject: use.subject,
      outcome: use.outcome,
      tags: use.tags,
      ip: use.ip,
      verifications: use.count,
    })),
  )
  for (let first = 0; first < rows.length; first += ROWS_A_STATEMENT) {
    await db
      .insertInto('usage')
      .values(rows.slice(first, first + ROWS_A_STATEMENT))
      .onConflict((conflict) =>
        conflict
          .columns([
            'project_id',
            'resolution',
            'start_ms',
            'kind',
            'key_id',
            'subject',
            'outcome',
            'tags',
            'ip',
          ])
          .doUpdateSet((eb) => ({
            verifications: eb('usage.verifications', '+', eb.ref('excluded.verifications')),
          })),
      )
      .execute()
  }
}
