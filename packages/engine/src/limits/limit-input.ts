import { type Limits, QUOTA_NAME, type Quota, type RateLimit } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'

const MAX_RATES = 8
/** Sums of what is spent stay far below the largest exact number. */
const MAX_UNITS = 1_000_000_000_000
const MAX_WINDOW_SECONDS = 31 * 86_400

const Units = Type.Integer({ minimum: 1, maximum: MAX_UNITS, description: 'How many units may be spent.' })

export const RateLimitView = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 64,
      pattern: '^[a-z0-9][a-z0-9_.-]*$',
      description: 'Unique among the limits of its holder, and not `quota`. Another name is another counter.',
    }),
    limit: Units,
    windowSeconds: Type.Integer({
      minimum: 1,
      maximum: MAX_WINDOW_SECONDS,
      description: 'The window opens with the first unit spent and closes so many seconds later.',
    }),
  },
  { additionalProperties: false },
)

export const QuotaView = Type.Object(
  {
    limit: Units,
    refill: Type.Union([Type.Enum(['hourly', 'daily', 'monthly']), Type.Null()], {
      description: 'When it is full again: with the hour, day or month in UTC; null: never.',
    }),
  },
  { additionalProperties: false },
)

/** As a member of a view. */
export const RateLimits = Type.Array(RateLimitView, { description: 'Named rate limits.' })
export const QuotaOrNull = Type.Union([QuotaView, Type.Null()], { description: 'Null: no quota.' })

/** As members of an input; null, like an empty list, limits nothing. */
export const LimitMembers = {
  limits: Type.Optional(
    Type.Union([Type.Array(RateLimitView, { maxItems: MAX_RATES }), Type.Null()], {
      description: 'Named rate limits. All of them are spent together, or none is.',
    }),
  ),
  quota: Type.Optional(QuotaOrNull),
}

interface LimitFields {
  readonly limits?: readonly Static<typeof RateLimitView>[] | null
  readonly quota?: Quota | null
}

/** Reads and checks what of the limits is given; absent members are absent. Throws `invalid_request`. */
export function readLimits({ limits, quota }: LimitFields): Partial<Limits> {
  return {
    ...(limits === undefined ? {} : { rates: checkNames(limits ?? []) }),
    ...(quota === undefined ? {} : { quota }),
  }
}

function checkNames(rates: readonly RateLimit[]): readonly RateLimit[] {
  const names = new Set<string>([QUOTA_NAME])
  for (const [index, { name }] of rates.entries()) {
    if (names.has(name)) {
      const reason = name === QUOTA_NAME ? 'is kept for the quota' : 'is given twice'
      throw new CodedError('invalid_request', `\`limits.${index}.name\` ${reason}. Choose another name.`)
    }
    names.add(name)
  }
  return rates
}
