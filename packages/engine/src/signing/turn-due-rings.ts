import { isSigningAlgorithm } from '@claviger/verify'
import type { Kysely } from 'kysely'
import type { EngineParts } from '../scope.ts'
import type { Schema } from '../storage/schema.ts'
import { makeSigningKey } from './make-signing-key.ts'
import { DEFAULT_PERIOD_SECONDS } from './read-period.ts'
import { PUBLIC_COLUMNS, type PublicKeyRow, planRing, type Ring, ringOf } from './ring.ts'

type RotationParts = Pick<EngineParts, 'clock' | 'reader' | 'sealer' | 'writer'>

/**
 * Takes every step that the keyrings of all projects owe now. What is owed follows from the rows and the clock alone, so
 * a time that was missed is made up for at the next call, and calling it often is harmless.
 *
 * A ring that fails keeps no other from its steps; what it failed with is handed to `onFailure`.
 */
export async function turnDueRings(parts: RotationParts, onFailure: (error: unknown) => void): Promise<void> {
  const { clock, reader, writer } = parts
  for (const { ring, rows, periodSeconds } of await loadRings(reader)) {
    const plan = planRing(ringOf(rows), { periodSeconds, nowMs: clock.nowMs() })
    if (plan.retire.length === 0 && plan.activate === undefined && !plan.prepare) continue
    try {
      const spare = plan.prepare ? await makeSigningKey(parts, ring.projectId, ring.algorithm) : null
      await writer.run('turn-ring', { ...ring, spare }, { kind: 'installation' })
    } catch (error) {
      onFailure(error)
    }
  }
}

interface LoadedRing {
  readonly ring: Ring
  readonly rows: PublicKeyRow[]
  readonly periodSeconds: number | null
}

async function loadRings(db: Kysely<Schema>): Promise<Iterable<LoadedRing>> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(PUBLIC_COLUMNS)
    .where('status', 'in', ['next', 'active', 'retiring'])
    .execute()
  const schedules = await db.selectFrom('signing_schedules').selectAll().execute()
  const periods = new Map(schedules.map((row) => [row.project_id, row.period_seconds]))
  const rings = new Map<string, LoadedRing>()
  for (const row of rows) {
    const { project_id: projectId, algorithm } = row
    if (!isSigningAlgorithm(algorithm)) continue
    const name = `${algorithm}/${projectId}`
    const known = rings.get(name)
    if (known !== undefined) known.rows.push(row)
    else {
      const period = periods.get(projectId)
      const periodSeconds = period === undefined ? DEFAULT_PERIOD_SECONDS : period
      rings.set(name, { ring: { projectId, algorithm }, rows: [row], periodSeconds })
    }
  }
  return rings.values()
}
