import { formatPosition, type LeaseAnswer, parsePosition } from '@claviger/verify'
import Type from 'typebox'
import { readHead } from '../changes/read-head.ts'
import { CodedError } from '../coded-error.ts'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { callerIdOf } from '../management/caller-id.ts'
import type { Scope } from '../scope.ts'
import { MAX_ALLOW_CACHED_SECONDS, MAX_STALENESS_SECONDS } from './lease-times.ts'
import { VerifierId } from './verifier-id.ts'

export const LeaseInput = Type.Object(
  {
    verifier: Type.Object(
      {
        id: VerifierId,
        name: Type.Optional(
          Type.String({ minLength: 1, maxLength: 128, description: 'What people know it by.' }),
        ),
      },
      { additionalProperties: false },
    ),
    nonce: Type.String({
      pattern: '^[A-Za-z0-9_-]{22,64}$',
      description: 'Random, and new in each request. The answer has it too.',
    }),
    applied: Type.String({
      maxLength: 64,
      description: 'How far the verifier has applied the feed, `epoch:number`.',
    }),
    allowCachedSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_ALLOW_CACHED_SECONDS,
        description:
          'How long it may answer from its caches when nobody can be asked. Receipts wait as long for it. 0 if absent.',
      }),
    ),
    statistics: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-zA-Z0-9]{1,32}$' }), Type.Number(), {
        maxProperties: 16,
        description: 'Numbers that are shown with the verifier.',
      }),
    ),
  },
  { additionalProperties: false },
)

export const ReleaseLeaseInput = Type.Object(
  { verifier: Type.Object({ id: VerifierId }, { additionalProperties: false }) },
  { additionalProperties: false },
)

export const LeaseView = Type.Object({
  nonce: Type.String(),
  head: Type.String({ description: 'How far the project is. The lease holds once this is applied.' }),
  atMs: Type.Integer({ description: "The server's time, epoch milliseconds." }),
  node: Type.String({ description: 'Another one after each start of the server.' }),
  leaseSeconds: Type.Optional(
    Type.Integer({ description: 'How long the lease runs, from the instant at which the nonce was sent.' }),
  ),
  reset: Type.Optional(
    Type.Literal(true, { description: 'There is no lease: the verifier must load a snapshot first.' }),
  ),
})

/**
 * Grants a lease to a verifier in another process (rules L2, L3): the head is read after the nonce arrived, and after it
 * was stored how long this run's leases may last.
 */
export async function grantLease(scope: Scope, input: unknown): Promise<LeaseAnswer> {
  await authorizeRead(scope, 'changes:read')
  const { verifier, nonce, applied: text, ...fields } = parseInput(LeaseInput, input)
  const applied = parsePosition(text)
  if (applied === undefined) throw new CodedError('invalid_request', '`applied` is no position.')
  const { edge, clock, projectId, actor } = scope
  const allowCachedSeconds = fields.allowCachedSeconds ?? 0
  await edge.cover((MAX_STALENESS_SECONDS + allowCachedSeconds) * 1000)
  const head = await readHead(scope.reader, projectId)
  const known = { nonce, head: formatPosition(head), atMs: clock.nowMs(), node: edge.bootId }
  if (applied.epoch !== head.epoch) return { ...known, reset: true }
  edge.registry.grant(projectId, {
    id: verifier.id,
    keyId: callerIdOf(actor) ?? '',
    name: verifier.name ?? null,
    address: addressOf(scope),
    applied,
    statistics: fields.statistics ?? {},
    allowCachedSeconds,
  })
  return { ...known, leaseSeconds: MAX_STALENESS_SECONDS }
}

/** The verifier has stopped, and answers nothing any more. */
export async function releaseLease(scope: Scope, input: unknown): Promise<void> {
  await authorizeRead(scope, 'changes:read')
  const { verifier } = parseInput(ReleaseLeaseInput, input)
  scope.edge.registry.release(scope.projectId, { id: verifier.id, keyId: callerIdOf(scope.actor) ?? '' })
}

function addressOf({ actor }: Scope): string | null {
  return actor.kind === 'management-key' ? (actor.origin?.address ?? null) : null
}
