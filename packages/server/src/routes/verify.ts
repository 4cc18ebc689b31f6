import { CodedError, parseInput } from '@claviger/engine'
import { parsePermissionQuery, refuse, VERDICT_CODES, type Verdict, type VerdictCode } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import type { GuessThrottle } from '../throttling/guess-throttle.ts'
import { type Call, defineRoute, type Route } from './route.ts'

const MAX_CREDENTIAL_LENGTH = 16_384
const Audience = Type.String({ minLength: 1, maxLength: 2048 })

/** An oversized credential is a verdict, not a problem, up to a length that only a mistake can have. */
export const VerifyInput = Type.Object(
  {
    credential: Type.String({
      maxLength: MAX_CREDENTIAL_LENGTH,
      description: 'What the caller presented: an API key or a token.',
    }),
    require: Type.Optional(
      Type.Object(
        {
          permissions: Type.Optional(
            Type.String({
              maxLength: 2048,
              description: 'A query such as `documents:read and (billing:* or admin:all)`.',
            }),
          ),
          audience: Type.Optional(
            Type.Union([Audience, Type.Array(Audience, { minItems: 1, maxItems: 64 })], {
              description:
                'Tokens: one of these must be among the audiences of the token. Without it every token is refused; `any` skips the check.',
            }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    tags: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z0-9_.:/@=+-]{1,64}$' }), {
        maxItems: 20,
        description:
          'What the use is counted under besides, such as the route: 1 to 64 of `A-Z a-z 0-9 _ . : / @ = + -`.',
      }),
    ),
    context: Type.Optional(
      Type.Object(
        {
          ip: Type.Optional(
            Type.String({
              maxLength: 64,
              description: "The end client's address, which the key's IP list is held against.",
            }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    cost: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000_000_000,
        description: 'What the call spends of every limit (default 1). 0 looks without spending.',
      }),
    ),
  },
  { additionalProperties: false },
)

const LimitFigures = Type.Array(
  Type.Object({
    of: Type.Enum(['key', 'subject'], { description: 'Whose limit it is.' }),
    name: Type.String({ description: 'The name of the rate limit, or `quota`.' }),
    limit: Type.Integer(),
    remaining: Type.Integer({ description: 'After this call.' }),
    resetSeconds: Type.Union([Type.Integer(), Type.Null()], {
      description: 'Until it is full again; null: never.',
    }),
  }),
  { description: 'All limits of the key and of its subject; absent: there are none.' },
)

const Kind = Type.Enum(['key', 'token'])
const Strings = Type.Array(Type.String())

export const Principal = Type.Object(
  {
    ok: Type.Literal(true),
    kind: Kind,
    id: Type.String({ description: "The key's id, or the token's `jti`." }),
    project: Type.String(),
    subject: Type.String({ description: 'Who the credential speaks for.' }),
    issuer: Type.Optional(Type.String()),
    audience: Type.Optional(Strings),
    clientId: Type.Optional(Type.String()),
    sessionId: Type.Optional(Type.String()),
    roles: Strings,
    permissions: Type.Array(Type.String(), {
      description: 'What it may do, after roles, scopes and bounds.',
    }),
    scopes: Type.Optional(Strings),
    claims: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    expiresAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    metadata: Type.Record(Type.String(), Type.Unknown()),
    limits: Type.Optional(LimitFigures),
  },
  { description: 'The credential may pass.' },
)

export const Refusal = Type.Object(
  {
    ok: Type.Literal(false),
    code: Type.Enum(Object.keys(VERDICT_CODES) as VerdictCode[], {
      description: 'The first that holds, in this order.',
    }),
    detail: Type.String({ description: 'What was wrong, and what to do.' }),
    status: Type.Integer({ description: 'The HTTP status to answer the client with.' }),
    kind: Type.Optional(Kind),
    id: Type.Optional(Type.String()),
    limits: Type.Optional(LimitFigures),
    retryAfterSeconds: Type.Optional(
      Type.Union([Type.Integer(), Type.Null()], {
        description:
          '`rate_limited`, `quota_exceeded`: when the same call can pass; null: waiting does not help.',
      }),
    ),
  },
  { description: 'The credential may not pass.' },
)

export const VerdictView = Type.Union([Principal, Refusal])

export const verifyRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/v1/verify',
    verb: 'credentials:verify',
    operationId: 'verifyCredential',
    tag: 'Verification',
    summary: 'Verify a credential',
    description:
      'Decides on an API key or a token. The answer is 200 whatever the verdict is: a refusal is data, with the status to give the client in `status`.',
    body: VerifyInput,
    answer: { status: 200, description: 'The verdict.', schema: VerdictView },
    quiet: true,
    once: false,
    direct: 'at-once',
    handle: verify,
    serialize: serializeVerdict,
  }),
]

function verify({ engine, projectName, body, guesses }: Call<string>): Verdict | Promise<Verdict> {
  const request = parseInput(VerifyInput, body)
  const slowed = (verdict: Verdict): Verdict =>
    verdict.ok ? verdict : slowClient(verdict, { project: projectName, ip: request.context?.ip, guesses })
  try {
    const verdict = engine.verify(projectName, request)
    return verdict instanceof Promise
      ? verdict.then(slowed, (error) => Promise.reject(explain(error, request)))
      : slowed(verdict)
  } catch (error) {
    throw explain(error, request)
  }
}

/**
 * To a program that embeds the verifier a query that does not parse is a mistake in its own code; here it came with the
 * request. It is parsed again only to say what is wrong, so that a good one is parsed once.
 */
function explain(error: unknown, { require }: Static<typeof VerifyInput>): unknown {
  const query = parsePermissionQuery(require?.permissions ?? '')
  if (!(error instanceof TypeError && 'fault' in query)) return error
  return new CodedError('invalid_request', `\`require.permissions\`: ${query.fault}`)
}

/** The codes that somebody who guesses gets. */
const GUESSED: ReadonlySet<VerdictCode> = new Set(['malformed', 'unknown', 'bad_signature'])

/** An end client that guesses through its gateway is answered `rate_limited`; a valid credential of its still passes. */
function slowClient(
  refusal: Extract<Verdict, { ok: false }>,
  { project, ip, guesses }: { project: string; ip: string | undefined; guesses: GuessThrottle },
): Verdict {
  if (ip === undefined || !GUESSED.has(refusal.code)) return refusal
  const waitSeconds = guesses.countFailure(ip, project)
  if (waitSeconds === 0) return refusal
  return refuse(
    'rate_limited',
    `Too many credentials from the client's address were refused. It is to wait ${waitSeconds} s; a valid one passes at once.`,
  )
}

const serialized = new WeakMap<object, string>()

/** A verdict is frozen, and the same object answers many calls: it is written out once. */
function serializeVerdict(verdict: unknown): string {
  if (typeof verdict !== 'object' || verdict === null) throw new TypeError('a verdict is an object')
  const known = serialized.get(verdict)
  if (known !== undefined) return known
  const text = JSON.stringify(verdict)
  if (Object.isFrozen(verdict)) serialized.set(verdict, text)
  return text
}
