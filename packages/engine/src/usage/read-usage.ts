import { parseStrictJson } from '@claviger/verify'
import { type RawBuilder, sql } from 'kysely'
import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'
import { parseInput } from '../input.ts'
import { makeCursor, type Page, readPageRequest } from '../page.ts'
import type { Scope } from '../scope.ts'
import { formatTime, parseTime, Time } from '../time.ts'
import { respell } from './project-use.ts'
import { keptMs, RESOLUTION_NAMES, RESOLUTIONS, type Resolution, startOfSpan } from './resolutions.ts'

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

const EVENTS = ['verification', 'mint', 'session', 'refresh'] as const
type Event = (typeof EVENTS)[number]

const Text = Type.String({ minLength: 1, maxLength: 256 })
const DEFAULT_LIMIT = 100
const MAX_LIMIT = 10_000

export const ReadUsageInput = Type.Object(
  {
    event: Type.Optional(
      Type.Enum([...EVENTS], {
        description:
          'What is counted: `verification` if absent; `mint`: tokens minted; `session`: sessions begun; `refresh`: sessions refreshed.',
      }),
    ),
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
      Type.Enum(['group', 'count'], {
        description:
          '`count`: the busiest first, as many as `limit` says and no further page. `group` if absent.',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `${DEFAULT_LIMIT} if absent.` }),
    ),
    cursor: Type.Optional(
      Type.String({ maxLength: 4096, description: 'The `nextCursor` of the page before.' }),
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
  key: Type.Optional(
    Type.String({
      description: 'Of a token: the client. Of what was issued: who asked for it. Empty: none.',
    }),
  ),
  subject: Type.Optional(Type.String()),
  outcome: Type.Optional(Type.String({ description: '`ok`, or the code of the refusal.' })),
  tag: Type.Optional(Type.String({ description: 'One with several tags counts under each of them.' })),
  ip: Type.Optional(Type.String()),
  kind: Type.Optional(Type.String({ description: '`key`, `token`, or empty: neither was recognised.' })),
  count: Type.Integer(),
})
export type UsageView = Static<typeof UsageView>

interface Row extends Partial<Record<Group, string | number>> {
  readonly count: number
}

/**
 * How often credentials of the project were verified, or tokens and sessions issued. Reads the spans that begin from
 * `from` on and before `to` (default: the 24 of the resolution that end now). A cursor goes on in the range of the first
 * page. Throws `invalid_request` for a range longer than its counts are kept.
 */
export async function readUsage(scope: Scope, input: unknown = {}): Promise<Page<UsageView>> {
  const asked = parseInput(ReadUsageInput, input)
  const { limit = DEFAULT_LIMIT } = asked
  const request = readPageRequest({ ...asked, limit }, { list: 'usage', projectId: scope.projectId })
  const groups = readGroups(asked.groupBy ?? 'time')
  const begun = request.after === undefined ? undefined : readPlace(request.after, groups)
  const { fromMs, toMs } = begun ?? readRange(scope, asked)
  const names = sql.join(groups.map((group) => sql.ref(group)))
  const expressions = groups.map((group) => GROUPS[group])
  const where = [...conditions(scope.projectId, asked), sql`u.start_ms >= ${fromMs} and u.start_ms < ${toMs}`]
  if (begun !== undefined) where.push(sql`(${sql.join(expressions)}) > (${sql.join(begun.after)})`)
  const { rows } = await sql<Row>`
    select ${sql.join(groups.map((group) => sql`${GROUPS[group]} as ${sql.ref(group)}`))},
      sum(u.verifications) as count
    from usage as u ${groups.includes('tag') ? sql`left join json_each(u.tags) as t on true` : sql``}
    where ${sql.join(where, sql` and `)}
    group by ${names} order by ${asked.orderBy === 'count' ? sql`count desc, ${names}` : names}
    limit ${request.rows}`.execute(scope.reader)
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const goesOn = rows.length > limit && last !== undefined && asked.orderBy !== 'count'
  const place = goesOn
    ? JSON.stringify({ fromMs, toMs, after: groups.map((group) => last[group] ?? '') } satisfies Place)
    : undefined
  return { items: shown.map(view), nextCursor: makeCursor(place, request) }
}

/** Where a page ends: in which range, and after which group. */
const Place = Type.Object({
  fromMs: Type.Integer(),
  toMs: Type.Integer(),
  after: Type.Array(Type.Union([Type.String(), Type.Integer()])),
})
type Place = Static<typeof Place>

/** Whoever makes up a cursor of the right form reads what a question without one shows, or is refused. */
function readPlace(text: string, groups: readonly Group[]): Place {
  const place = parseInput(Place, parseStrictJson(text))
  if (place.after.length === groups.length) return place
  throw new CodedError('invalid_request', '`cursor` is none that this question was answered with.')
}

type Asked = Static<typeof ReadUsageInput>

function readRange(
  { clock, usageDays }: Scope,
  { from, to, resolution = 'hour' }: Asked,
): Pick<Place, 'fromMs' | 'toMs'> {
  const { lengthMs } = RESOLUTIONS[resolution]
  const toMs = to === undefined ? clock.nowMs() + 1 : parseTime(to, 'to')
  const fromMs = startOfSpan(
    from === undefined ? Math.max(0, toMs - 24 * lengthMs) : parseTime(from, 'from'),
    resolution,
  )
  if (fromMs >= toMs) throw new CodedError('invalid_request', '`from` must be before `to`.')
  const longestMs = keptMs(resolution, usageDays)
  if (toMs - fromMs > longestMs + lengthMs) {
    throw new CodedError(
      'invalid_request',
      `By the ${resolution} a question covers at most ${longestMs / 86_400_000} days. Ask for less, or by a longer \`resolution\`.`,
    )
  }
  return { fromMs, toMs }
}

function conditions(projectId: string, asked: Asked): RawBuilder<unknown>[] {
  const resolution: Resolution = asked.resolution ?? 'hour'
  const where = [sql`u.project_id = ${projectId} and u.resolution = ${resolution}`, ofEvent(asked.event)]
  if (asked.keyId !== undefined) where.push(sql`u.key_id = ${asked.keyId}`)
  if (asked.subject !== undefined) where.push(sql`u.subject = ${asked.subject}`)
  if (asked.outcome !== undefined) where.push(sql`u.outcome = ${asked.outcome}`)
  if (asked.ip !== undefined) where.push(sql`u.ip = ${readAddress(asked.ip)}`)
  if (asked.kind !== undefined) where.push(sql`u.kind = ${asked.kind}`)
  if (asked.tag !== undefined)
    where.push(sql`exists (select 1 from json_each(u.tags) as asked where asked.value = ${asked.tag})`)
  return where
}

function readAddress(text: string): string {
  const ip = respell(text)
  if (ip !== 'other' || text === 'other') return ip
  throw new CodedError('invalid_request', '`ip` is an IP address, or `other`.')
}

function ofEvent(event: Event = 'verification'): RawBuilder<unknown> {
  return event === 'verification' ? sql`u.kind in ('key', 'token', '')` : sql`u.kind = ${event}`
}

function view({ time, count, ...names }: Row): UsageView {
  return {
    ...(time === undefined ? {} : { time: formatTime(Number(time)) }),
    ...Object.fromEntries(Object.entries(names).map(([name, value]) => [name, String(value)])),
    count,
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
