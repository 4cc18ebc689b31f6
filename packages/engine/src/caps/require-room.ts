import type { Kysely } from 'kysely'
import { CodedError } from '../coded-error.ts'
import type { CommandContext } from '../commands/command.ts'
import { callerIdOf } from '../management/caller-id.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import type { Schema } from '../storage/schema.ts'
import { CAPS, type Cap } from './caps.ts'
import { COUNTS } from './count-held.ts'

const capQuery = new PreparedQuery((db, parameter: Parameter<{ projectId: string; cap: Cap }>) =>
  db
    .selectFrom('project_caps')
    .select('most')
    .where('project_id', '=', parameter('projectId'))
    .where('cap', '=', parameter('cap')),
)

/**
 * Throws `cap_reached` unless there is room for one more, or for as many places. It looks inside the command's transaction:
 * of 50 creations at once exactly those get through for which there is room.
 */
export async function requireRoom(
  { db, nowMs, actor }: Pick<CommandContext, 'db' | 'nowMs' | 'actor'>,
  cap: Cap,
  { projectId, subject, places = 1 }: { projectId: string; subject?: string; places?: number },
): Promise<void> {
  const most = await readCap(db, projectId, cap)
  const place = { projectId, callerId: callerIdOf(actor), ...(subject === undefined ? {} : { subject }) }
  if ((await COUNTS[cap](db, place, nowMs)) + places <= most) return
  throw new CodedError(
    'cap_reached',
    `The cap \`${cap}\` of the project is ${most}, and there is no room for ${places} more. Delete some, or have root raise it: \`PATCH /v1/projects/{name}\` with \`caps\`.`,
  )
}

async function readCap(db: Kysely<Schema>, projectId: string, cap: Cap): Promise<number> {
  const [row] = await capQuery.execute(db, { projectId, cap })
  return row?.most ?? CAPS[cap].most
}
