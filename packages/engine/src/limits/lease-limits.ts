import type { LimitHolder, LimitLeaseAnswer, LimitLeaseRequest, LimitPart } from '@claviger/verify'
import Type from 'typebox'
import { VerifierId } from '../edge/verifier-id.ts'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { callerIdOf } from '../management/caller-id.ts'
import type { Scope } from '../scope.ts'
import { findSubject } from '../subjects/read-subject.ts'
import { parseLimits } from './limits-column.ts'

const MAX_CALLS = 100
const MAX_RETURNED = 1_000
const Units = Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 })
const HolderKind = Type.Enum(['key', 'subject'])
const HolderId = Type.String({ minLength: 1, maxLength: 1024 })
const EndsAt = Type.Union([Type.Integer(), Type.Null()], {
  description: 'When the period ends, epoch milliseconds; null: never.',
})

export const LeaseLimitsInput = Type.Object(
  {
    verifier: Type.Object({ id: VerifierId }, { additionalProperties: false }),
    calls: Type.Array(
      Type.Object(
        {
          holders: Type.Array(
            Type.Object({ kind: HolderKind, id: HolderId }, { additionalProperties: false }),
            {
              minItems: 1,
              maxItems: 2,
              description: 'Whose limits count: the key’s, the subject’s, or both.',
            },
          ),
          cost: Units,
          wanted: Units,
        },
        { additionalProperties: false },
      ),
      {
        maxItems: MAX_CALLS,
        description: '`cost`: what one call spends; `wanted`: what all that wait spend.',
      },
    ),
    returned: Type.Optional(
      Type.Array(
        Type.Object(
          {
            of: HolderKind,
            id: HolderId,
            name: Type.String({ minLength: 1, maxLength: 64 }),
            units: Units,
            endsAtMs: EndsAt,
          },
          { additionalProperties: false },
        ),
        { maxItems: MAX_RETURNED, description: 'What was set aside before and not spent.' },
      ),
    ),
  },
  { additionalProperties: false },
)

export const LeasedLimits = Type.Object({
  calls: Type.Array(
    Type.Object({
      parts: Type.Array(
        Type.Object({
          of: HolderKind,
          id: Type.String(),
          name: Type.String(),
          limit: Type.Integer(),
          granted: Type.Integer({ description: 'Units that the verifier may spend until the period ends.' }),
          remaining: Type.Integer({ description: 'What is left for others.' }),
          endsAtMs: EndsAt,
        }),
      ),
    }),
    { description: 'In the order of the calls. A holder without limits has no parts.' },
  ),
})

/**
 * Sets parts of limits aside for a verifier in another process, which spends them without asking (rule Q3). They count
 * as spent from now on: the sum of all parts never exceeds the limit. The limits are those that the project has now,
 * whatever the verifier knows.
 */
export async function leaseLimits(scope: Scope, input: unknown): Promise<LimitLeaseAnswer> {
  await authorizeRead(scope, 'limits:lease')
  const { verifier, calls, returned = [] }: LimitLeaseRequest = parseInput(LeaseLimitsInput, input)
  const { limits, leasedUnits, projectId, clock } = scope
  const holder = `${projectId} ${callerIdOf(scope.actor) ?? ''} ${verifier.id}`
  for (const part of returned) {
    const units = leasedUnits.putBack(holder, part, part.units)
    const owner = units > 0 ? await findHolder(scope, { kind: part.of, id: part.id }) : undefined
    const { name, endsAtMs } = part
    if (owner !== undefined) limits.putBack(projectId, owner, { name, units, endsAtMs, nowMs: clock.nowMs() })
  }
  const answers: { parts: readonly LimitPart[] }[] = []
  for (const { holders, cost, wanted } of calls) {
    const found = await Promise.all(holders.map((one) => findHolder(scope, one)))
    const known = found.filter((one) => one !== undefined)
    const parts = await limits.setAside(projectId, {
      holders: known,
      cost,
      wanted: Math.max(cost, wanted),
      nowMs: () => clock.nowMs(),
    })
    for (const part of parts) leasedUnits.note(holder, part, clock.nowMs())
    answers.push({ parts })
  }
  return { calls: answers }
}

/** With the limits that it has now; undefined: there is none in the project. */
async function findHolder(
  { reader, projectId }: Scope,
  { kind, id }: Pick<LimitHolder, 'kind' | 'id'>,
): Promise<LimitHolder | undefined> {
  const row =
    kind === 'subject'
      ? await findSubject({ db: reader, projectId }, id)
      : await reader
          .selectFrom('keys')
          .select('limits')
          .where('project_id', '=', projectId)
          .where('id', '=', id)
          .executeTakeFirst()
  return row === undefined ? undefined : { kind, id, limits: parseLimits(row.limits) }
}
