import { isSigningAlgorithm } from '@claviger/verify'
import type { EngineParts } from '../scope.ts'
import { makeSigningKey } from './make-signing-key.ts'
import { PUBLISH_AHEAD_SECONDS } from './publication.ts'
import { DEFAULT_PERIOD_SECONDS, readPeriod } from './read-period.ts'
import { loadRing, planRing, type Ring } from './ring.ts'

type RotationParts = Pick<EngineParts, 'clock' | 'reader' | 'sealer' | 'writer'>

/**
 * Takes every step that the keyrings of all projects owe now. What is owed follows from the rows and the clock alone, so
 * a time that was missed is made up for at the next call, and calling it often is harmless.
 *
 * A ring that fails keeps no other from its steps; what it failed with is handed to `onFailure`.
 */
export async function turnDueRings(parts: RotationParts, onFailure: (error: unknown) => void): Promise<void> {
  for (const ring of await findMovingRings(parts)) {
    try {
      await turnIfDue(parts, ring)
    } catch (error) {
      onFailure(error)
    }
  }
}

async function turnIfDue(parts: RotationParts, ring: Ring): Promise<void> {
  const { clock, reader, writer } = parts
  const periodSeconds = await readPeriod(reader, ring.projectId)
  const plan = planRing(await loadRing(reader, ring), { periodSeconds, nowMs: clock.nowMs() })
  if (plan.retire.length === 0 && plan.activate === undefined && !plan.prepare) return
  const spare = plan.prepare ? await makeSigningKey(parts, ring.projectId, ring.algorithm) : null
  await writer.run('turn-ring', { ...ring, spare }, { kind: 'installation' })
}

/** The few rings that may owe something: in which a rotation is under way, or is to begin. */
async function findMovingRings({ clock, reader }: RotationParts): Promise<readonly Ring[]> {
  const dueMs = clock.nowMs() + PUBLISH_AHEAD_SECONDS * 1000
  const rows = await reader
    .selectFrom('signing_keys')
    .leftJoin('signing_schedules', 'signing_schedules.project_id', 'signing_keys.project_id')
    .select(['signing_keys.project_id', 'signing_keys.algorithm'])
    .distinct()
    .where(({ and, eb, or }) => {
      const periodSeconds = eb
        .case()
        .when('signing_schedules.project_id', 'is', null)
        .then(DEFAULT_PERIOD_SECONDS)
        .else(eb.ref('signing_schedules.period_seconds'))
        .end()
      const rotationMs = eb('activated_at_ms', '+', eb(periodSeconds, '*', 1000))
      return or([
        eb('status', 'in', ['next', 'retiring']),
        and([eb('status', '=', 'active'), eb(rotationMs, '<=', dueMs)]),
      ])
    })
    .execute()
  return rows.flatMap(({ project_id: projectId, algorithm }) =>
    isSigningAlgorithm(algorithm) ? [{ projectId, algorithm }] : [],
  )
}
