import { formatPosition } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { readHead } from '../changes/read-head.ts'
import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { formatTime, Time } from '../time.ts'

export const EdgeVerifierView = Type.Object({
  id: Type.String(),
  name: Type.Union([Type.String(), Type.Null()]),
  keyId: Type.String({ description: 'The management key that it reads the feed with.' }),
  address: Type.Union([Type.String(), Type.Null()]),
  position: Type.String({ description: 'How far it has applied the feed.' }),
  lag: Type.Union([Type.Integer(), Type.Null()], {
    description: 'How many changes it is behind; null: it is of another epoch.',
  }),
  hasLease: Type.Boolean({ description: 'Whether it may answer from its caches now.' }),
  leaseUntil: Time,
  lastSeenAt: Time,
  statistics: Type.Record(Type.String(), Type.Number()),
})
export type EdgeVerifierView = Static<typeof EdgeVerifierView>

export const EdgeVerifiers = Type.Object({
  items: Type.Array(EdgeVerifierView),
  nextCursor: Type.Null(),
})

/** The verifiers in other processes that this run of the server has granted a lease, those that stopped lately included. */
export async function listVerifiers(scope: Scope): Promise<Static<typeof EdgeVerifiers>> {
  await authorizeRead(scope, 'changes:read')
  const head = await readHead(scope.reader, scope.projectId)
  const nowMs = scope.clock.nowMs()
  const items = scope.edge.registry.list(scope.projectId).map((verifier) => ({
    id: verifier.id,
    name: verifier.name,
    keyId: verifier.keyId,
    address: verifier.address,
    position: formatPosition(verifier.applied),
    lag: verifier.applied.epoch === head.epoch ? Math.max(0, head.number - verifier.applied.number) : null,
    hasLease: nowMs < verifier.grantedUntilMs,
    leaseUntil: formatTime(verifier.grantedUntilMs),
    lastSeenAt: formatTime(verifier.lastSeenAtMs),
    statistics: { ...verifier.statistics },
  }))
  return { items, nextCursor: null }
}
