import { ALGORITHMS, isSigningAlgorithm, type SigningAlgorithm } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize, authorizeRead, requireGrants } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import type { Scope } from '../scope.ts'
import { activateSigningKey } from './change-status.ts'
import { insertSigningKey, makeSigningKey, type NewSigningKey } from './make-signing-key.ts'
import { showSigningKey } from './read-signing-key.ts'
import { loadRing, planRing, type Ring } from './ring.ts'
import type { SigningKeyView } from './signing-key-view.ts'
import { WHAT_TOKENS_HOLD } from './what-tokens-hold.ts'

export const RotateSigningKeyInput = Type.Object(
  {
    algorithm: Type.Optional(
      Type.Enum(Object.keys(ALGORITHMS) as SigningAlgorithm[], {
        description: "Which ring; that of the project's own algorithm if absent.",
      }),
    ),
  },
  { additionalProperties: false },
)
export type RotateSigningKeyInput = Static<typeof RotateSigningKeyInput>

interface RotateArgs extends Ring {
  readonly spare: NewSigningKey | null
}

/**
 * Rotates a ring as soon as it may be: the next key signs at once if it was published for long enough, and as soon as it
 * will have been otherwise. One is made if there is none. Answers that key; asked again, it answers the same one.
 */
export async function rotateSigningKey(scope: Scope, input: unknown = {}): Promise<SigningKeyView> {
  requireCustomerProject(scope)
  const { reader, projectId } = scope
  // Making a key pair costs a tenth of a second: not for whoever may not have one.
  requireGrants(await authorizeRead(scope, 'signing-keys:write'), WHAT_TOKENS_HOLD, 'a token')
  const fields = parseInput(RotateSigningKeyInput, input)
  const algorithm = fields.algorithm ?? (await readAlgorithm(scope))
  const { next } = await loadRing(reader, { projectId, algorithm })
  const spare = next === undefined ? await makeSigningKey(scope, projectId, algorithm) : null
  return scope.writer.run('rotate-signing-key', { projectId, algorithm, spare }, scope.actor)
}

export const rotateSigningKeyCommand: Command<RotateArgs, SigningKeyView> = async (
  context,
  { spare, ...ring },
) => {
  const { db, nowMs } = context
  const { projectId } = ring
  requireGrants(await authorize(context, projectId, 'signing-keys:write'), WHAT_TOKENS_HOLD, 'a token')
  await context.position(projectId)
  const before = await loadRing(db, ring)
  if (before.next === undefined && spare !== null) {
    await insertSigningKey(context, spare, { status: 'next' })
  }
  const keys = await loadRing(db, ring)
  if (keys.next === undefined) {
    throw new CodedError(
      'unavailable',
      'The keyring was rotated a moment ago. Ask again to rotate it once more.',
    )
  }
  await db
    .updateTable('signing_keys')
    .set({ activate_at_ms: Math.min(keys.next.activate_at_ms ?? nowMs, nowMs) })
    .where('project_id', '=', projectId)
    .where('id', '=', keys.next.id)
    .execute()
  await context.audit({
    projectId,
    action: 'signing-key.rotate',
    target: keys.next.id,
    detail: { algorithm: ring.algorithm },
  })
  const wanted = await loadRing(db, ring)
  const plan = planRing(wanted, { periodSeconds: null, nowMs })
  if (plan.activate !== undefined) await activateSigningKey(context, wanted, plan.activate)
  return showSigningKey(db, { projectId, id: keys.next.id })
}

async function readAlgorithm({ reader, projectId }: Scope): Promise<SigningAlgorithm> {
  const { algorithm } = await reader
    .selectFrom('projects')
    .select('algorithm')
    .where('id', '=', projectId)
    .executeTakeFirstOrThrow()
  if (isSigningAlgorithm(algorithm)) return algorithm
  throw new CodedError('internal', `The project signs with ${algorithm}, which is not known here.`)
}
