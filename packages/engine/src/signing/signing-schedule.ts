import Type, { type Static } from 'typebox'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize, authorizeRead, requireGrants } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import type { Scope } from '../scope.ts'
import { PUBLISH_AHEAD_SECONDS } from './publication.ts'
import { DEFAULT_PERIOD_SECONDS, MAX_PERIOD_SECONDS, MIN_PERIOD_SECONDS, readPeriod } from './read-period.ts'
import { WHAT_TOKENS_HOLD } from './what-tokens-hold.ts'

const Period = Type.Union(
  [Type.Integer({ minimum: MIN_PERIOD_SECONDS, maximum: MAX_PERIOD_SECONDS }), Type.Null()],
  {
    description: `How long a key signs before the next one does; null: until somebody rotates it. ${DEFAULT_PERIOD_SECONDS} (90 days) unless it was set.`,
  },
)

export const SetSigningScheduleInput = Type.Object({ periodSeconds: Period }, { additionalProperties: false })
export type SetSigningScheduleInput = Static<typeof SetSigningScheduleInput>

export const SigningScheduleView = Type.Object({
  periodSeconds: Period,
  publishAheadSeconds: Type.Integer({
    description: 'How long a key is published before it signs: it is made this long ahead.',
  }),
})
export type SigningScheduleView = Static<typeof SigningScheduleView>

interface SetScheduleArgs {
  readonly projectId: string
  readonly periodSeconds: number | null
}

/** How often the project's signing keys are rotated. */
export async function readSigningSchedule(scope: Scope): Promise<SigningScheduleView> {
  await authorizeRead(scope, 'signing-keys:read')
  return viewSchedule(await readPeriod(scope.reader, scope.projectId))
}

/** Sets how often the keys of every ring of the project are rotated. It counts from when each began to sign. */
export async function setSigningSchedule(scope: Scope, input: unknown): Promise<SigningScheduleView> {
  requireCustomerProject(scope)
  await authorizeRead(scope, 'signing-keys:write')
  const { periodSeconds } = parseInput(SetSigningScheduleInput, input)
  const args = { projectId: scope.projectId, periodSeconds }
  return scope.writer.run('set-signing-schedule', args, scope.actor)
}

export const setSigningScheduleCommand: Command<SetScheduleArgs, SigningScheduleView> = async (
  context,
  { projectId, periodSeconds },
) => {
  requireGrants(await authorize(context, projectId, 'signing-keys:write'), WHAT_TOKENS_HOLD, 'a token')
  await context.position(projectId)
  const before = await readPeriod(context.db, projectId)
  await context.db
    .insertInto('signing_schedules')
    .values({ project_id: projectId, period_seconds: periodSeconds })
    .onConflict((conflict) => conflict.column('project_id').doUpdateSet({ period_seconds: periodSeconds }))
    .execute()
  await context.audit({
    projectId,
    action: 'signing-schedule.set',
    target: projectId,
    detail: { before, periodSeconds },
  })
  return viewSchedule(periodSeconds)
}

function viewSchedule(periodSeconds: number | null): SigningScheduleView {
  return { periodSeconds, publishAheadSeconds: PUBLISH_AHEAD_SECONDS }
}
