import Type, { type Static } from 'typebox'
import { requireRoom } from '../caps/require-room.ts'
import { CodedError } from '../coded-error.ts'
import type { Command, CommandContext } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize, requireVerb } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import type { Scope } from '../scope.ts'
import { TokenAlgorithm } from '../signing/token-algorithm.ts'
import { CustomClaims, checkClaims } from '../tokens/custom-claims.ts'
import { writeClaims } from '../tokens/write-claims.ts'
import { Audience, TtlSeconds } from './audience-input.ts'
import { type AudienceView, viewAudience } from './audience-view.ts'
import { findAudience } from './read-audience.ts'

const MAX_CLAIMS_BYTES = 4096

/** What is absent is not set: tokens get what they would without a record. */
export const PutAudienceInput = Type.Object(
  {
    ttlSeconds: Type.Optional(TtlSeconds),
    algorithm: Type.Optional(TokenAlgorithm),
    claims: Type.Optional(CustomClaims),
  },
  { additionalProperties: false },
)
export type PutAudienceInput = Static<typeof PutAudienceInput>

/** The audience that a command acts on. */
export interface AudiencePlace {
  readonly projectId: string
  readonly audience: string
}

interface PutAudienceArgs extends AudiencePlace {
  readonly ttlSeconds: number | null
  readonly algorithm: string | null
  /** JSON. */
  readonly claims: string
}

/** Creates or replaces what tokens for an audience get unless the call that mints them says otherwise. */
export async function putAudience(scope: Scope, audience: string, input: unknown): Promise<AudienceView> {
  requireCustomerProject(scope)
  const fields = parseInput(PutAudienceInput, input)
  const args: PutAudienceArgs = {
    projectId: scope.projectId,
    audience: parseInput(Audience, audience),
    ttlSeconds: fields.ttlSeconds ?? null,
    algorithm: fields.algorithm ?? null,
    claims: formatClaims(fields.claims),
  }
  return scope.writer.run('put-audience', args, scope.actor)
}

export const putAudienceCommand: Command<PutAudienceArgs, AudienceView> = async (context, args) => {
  await authorizeDefaults(context, args.projectId)
  const existing = await findAudience({ db: context.db, projectId: args.projectId }, args.audience)
  if (existing === undefined) await requireRoom(context, 'audiences', args)
  const row = {
    project_id: args.projectId,
    audience: args.audience,
    ttl_seconds: args.ttlSeconds,
    algorithm: args.algorithm,
    claims: args.claims,
    created_at_ms: existing?.created_at_ms ?? context.nowMs,
    changed_at_ms: context.nowMs,
  }
  await context.db
    .insertInto('audiences')
    .values(row)
    .onConflict((conflict) => conflict.columns(['project_id', 'audience']).doUpdateSet(row))
    .execute()
  await context.position(args.projectId)
  await context.audit({
    projectId: args.projectId,
    action: 'audience.put',
    target: args.audience,
    detail: { ttlSeconds: args.ttlSeconds, algorithm: args.algorithm, claims: claimNames(args.claims) },
  })
  return viewAudience(row)
}

/**
 * Who writes defaults has a say in every later token of the audience, whoever mints it. Claims, life and algorithm are
 * free to whoever may mint, and are no permissions that grants could cover: so that verb is needed too (rule M3).
 */
export async function authorizeDefaults(context: CommandContext, projectId: string): Promise<void> {
  requireVerb(await authorize(context, projectId, 'projects:write'), 'tokens:mint')
}

function formatClaims(claims: PutAudienceInput['claims'] = {}): string {
  const text = writeClaims(checkClaims(claims))
  if (Buffer.byteLength(text) <= MAX_CLAIMS_BYTES) return text
  throw new CodedError('invalid_request', `\`claims\` is larger than ${MAX_CLAIMS_BYTES} bytes of JSON.`)
}

/** What claims hold may be personal: an audit keeps their names. */
function claimNames(claims: string): readonly string[] {
  return Object.keys(JSON.parse(claims))
}
