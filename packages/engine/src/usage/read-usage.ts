import { sql } from 'kysely'
import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'
import { parseInput } from '../input.ts'
import type { Page } from '../page.ts'
import type { Scope } from '../scope.ts'
import { formatTime, parseTime, Time } from '../time.ts'
import { RESOLUTION_NAMES, RESOLUTIONS, startOfSpan } from './resolutions.ts'

const GROUPS = {
  key: sql`u.key_id`,
  subject: sql`u.subject`,
  outcome: sql`u.outcome`,
  tag: sql`coalesce(t.value, '')`,
  ip: sql`u.ip`,
  kind: sql`u.kind`,
  time: sql`u.start_ms`,
} as const
type Group = keyof typeof GROUPS

const Text = Type.String({ minLength: 1, maxLength: 256 })
const DEFAULT_LIMIT = 100
const MAX_LIMIT = 10_000

export const ReadUsageInput = Type.Object(
  {
    from: Type.Optional(Time),
    to: Type.Optional(Time),
    resolution: Type.Optional(
      Type.Enum([...RESOLUTION_NAMES], { description: 'How long the counted spans are; `hour` if absent.' }),
    ),
    groupBy: Type.Optional(
      Type.String({
        maxLength: 128,
        description:
          'One or several of `key`, `subject`, `outcome`, `tag`, `ip`, `kind`, `time`, with commas between; `time` if absent.',
      }),
    ),
    orderBy: Type.Optional(
      Type.Enum(['group', 'verifications'], {
        description: '`verifications`: the busiest first. `group` if absent.',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `${DEFAULT_LIMIT} if absent.` }),
    ),
    keyId: Type.Optional(Text),
    subject: Type.Optional(Text),
    outcome: Type.Optional(Text),
    tag: Type.Optional(Text),
    ip: Type.Optional(Text),
    kind: Type.Optional(Type.Enum(['key', 'token'])),
  },
  { additionalProperties: false },
)

export const UsageView = Type.Object({
  time: Type.Optional(Type.String({ format: 'date-time', description: 'The start of the span, in UTC.' })),
  key: Type.Optional(Type.String({ description: 'Of a token: the client. Empty: none.' })),
  subject: Type.Optional(Type.String()),
  outcome: Type.Optional(Type.String({ description: '`ok`, or the code of the refusal.' })),
  tag: Type.Optional(Type.String({ description: 'One with several tags counts under each of them.' })),
  ip: Type.Optional(Type.String()),
  kind: Type.Optional(Type.String({ description: '`key`, `token`, or empty: neither was recognised.' })),
  verifications: Type.Integer(),
})
export type UsageView = Static<typeof UsageView>

/**
 * How often credentials of the project were verified. Reads the spans that begin from `from` on and before `to`
 * (default: the 24 of the resolution that end now). Throws `invalid_request` for a range longer than its counts are kept.
 */
export async function readUsage(
  { reader, projectId, clock }: Scope,
  input: unknown = {},
): Promise<Page<UsageView>> {
  const asked = parseInput(ReadUsageInput, input)
  const resolution = asked.resolution ?? 'hour'
  const { lengthMs, maxRangeMs } = RESOLUTIONS[resolution]
  const toMs = asked.to === undefined ? clock.nowMs() + 1 : parseTime(asked.to, 'to')
  const fromMs = startOfSpan(
    asked.from === undefined ? Math.max(0, toMs - 24 * lengthMs) : parseTime(asked.from, 'from'),
    resolution,
  )
  if (fromMs >= toMs) throw new CodedError('invalid_request', '`from` must be before `to`.')
  if (toMs - fromMs > maxRangeMs + lengthMs) {
    throw new CodedError(
      'invalid_request',
      `By the ${resolution} a question covers at most ${maxRangeMs / 86_400_000} days. Ask for less, or by a longer \`resolution\`.`,
    )
  }
  const groups = readGroups(asked.groupBy ?? 'time')
  const where = [
    sql`u.project_id = ${projectId}`,
    sql`u.resolution = ${resolution}`,
    sql`u.start_ms >= ${fromMs}`,
    sql`u.start_ms < ${toMs}`,
  ]
  if (asked.keyId !== undefined) where.push(sql`u.key_id = ${asked.keyId}`)
  if (asked.subject !== undefined) where.push(sql`u.subject = ${asked.subject}`)
  if (asked.outcome !== undefined) where.push(sql`u.outcome = ${asked.outcome}`)
  if (asked.ip !== undefined) where.push(sql`u.ip = ${asked.ip}`)
  if (asked.kind !== undefined) where.push(sql`u.kind = ${asked.kind}`)
  if (asked.tag !== undefined)
    where.push(sql`exists (select 1 from json_each(u.tags) as asked where asked.value = ${asked.tag})`)
  const columns = groups.map((group) => sql`${GROUPS[group]} as ${sql.ref(group)}`)
  const byGroup = sql.join(groups.map((group) => sql.ref(group)))
  const order = asked.orderBy === 'verifications' ? sql`verifications desc, ${byGroup}` : byGroup
  const { rows } = await sql<{ [Name in Group]?: string | number } & { verifications: number }>`
    select ${sql.join(columns)}, sum(u.verifications) as verifications
    from usage as u ${groups.includes('tag') ? sql`left join json_each(u.tags) as t on true` : sql``}
    where ${sql.join(where, sql` and `)}
    group by ${byGroup} order by ${order} limit ${asked.limit ?? DEFAULT_LIMIT}`.execute(reader)
  return { items: rows.map(view), nextCursor: null }
}

function view(row: { [Name in Group]?: string | number } & { verifications: number }): UsageView {
  const { time, verifications, ...names } = row
  return {
    ...(time === undefined ? {} : { time: formatTime(Number(time)) }),
    ...Object.fromEntries(Object.entries(names).map(([name, value]) => [name, String(value)])),
    verifications,
  }
}

function readGroups(text: string): Group[] {
  const groups = [...new Set(text.split(','))]
  if (groups.every((group): group is Group => Object.hasOwn(GROUPS, group))) return groups
  throw new CodedError(
    'invalid_request',
    `\`groupBy\` is one or several of ${Object.keys(GROUPS).join(', ')}, with commas between.`,
  )
}
