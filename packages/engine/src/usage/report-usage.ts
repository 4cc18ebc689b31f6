import { type UsageReport, type UseCount, VERDICT_CODES } from '@claviger/verify'
import Type from 'typebox'
import { CodedError } from '../coded-error.ts'
import { VerifierId } from '../edge/verifier-id.ts'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { inProject } from './project-use.ts'

const MAX_COUNTS = 1_000
/** A verifier that could not report for longer has its counts fall into the first day that is looked at. */
const MAX_AGE_MS = 7 * 86_400_000
const OUTCOMES: readonly string[] = ['ok', ...Object.keys(VERDICT_CODES)]

export const UsageReportInput = Type.Object(
  {
    verifier: Type.Object({ id: VerifierId }, { additionalProperties: false }),
    batch: Type.String({
      pattern: '^[A-Za-z0-9_-]{16,64}$',
      description: 'Random. A batch that is sent again with the same id counts once.',
    }),
    counts: Type.Array(
      Type.Object(
        {
          kind: Type.Union([Type.Enum(['key', 'token']), Type.Null()], {
            description: 'Null: the text named no credential.',
          }),
          keyId: Type.String({
            maxLength: 128,
            description: 'The key, or the client of a token. Empty: none.',
          }),
          subject: Type.String({ maxLength: 1024, description: 'Empty: none.' }),
          outcome: Type.Enum(OUTCOMES as string[], { description: '`ok`, or the code of the refusal.' }),
          tags: Type.String({ maxLength: 2048, description: 'JSON list, sorted.' }),
          ip: Type.String({ maxLength: 64, description: 'The client’s address. Empty: none.' }),
          count: Type.Integer({ minimum: 1, maximum: 1_000_000_000_000 }),
          atMs: Type.Integer({ minimum: 0, description: 'Epoch milliseconds.' }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: MAX_COUNTS },
    ),
  },
  { additionalProperties: false },
)

export const UsageReported = Type.Object({
  counted: Type.Boolean({ description: 'False: the batch had been counted before.' }),
})

/** Counts what a verifier in another process has counted. A batch counts once, however often it is sent. */
export async function reportUsage(scope: Scope, input: unknown): Promise<{ readonly counted: boolean }> {
  await authorizeRead(scope, 'usage:report')
  const { batch, counts }: UsageReport = parseInput(UsageReportInput, input)
  const { writer, projectId, clock, actor, reportedApart } = scope
  const nowMs = clock.nowMs()
  const uses = counts.map((count) => {
    // By when it is told: verifiers tell of different minutes, and each would begin a new bound.
    const use = reportedApart.bound(inProject(projectId, { ...checked(count), atMs: nowMs }))
    return { ...use, atMs: within(count.atMs, nowMs) }
  })
  return writer.run('store-usage-batch', { projectId, batchId: batch, uses }, actor)
}

/** Nobody counts what is to come, nor what is too long ago for it not to be a clock that is wrong. */
function within(atMs: number, nowMs: number): number {
  return Math.min(nowMs, Math.max(atMs, nowMs - MAX_AGE_MS))
}

function checked(count: UseCount): UseCount {
  try {
    const tags: unknown = JSON.parse(count.tags)
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return count
  } catch {
    // Said below.
  }
  throw new CodedError('invalid_request', '`tags` of a count is no JSON list of texts.')
}
