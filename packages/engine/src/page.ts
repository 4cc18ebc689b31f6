import { sha256 } from '@claviger/verify'
import Type, { type TArray, type TNull, type TObject, type TSchema, type TString, type TUnion } from 'typebox'
import { CodedError } from './coded-error.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 200
const MAX_CURSOR_LENGTH = 4096
/** 96 bits: no cursor is taken for another's by accident. */
const CHECK_LENGTH = 16

/** The members that every list takes beside its filters. */
export const PageInput = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_LIMIT,
      description: `How many at most; ${DEFAULT_LIMIT} if absent.`,
    }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: MAX_CURSOR_LENGTH, description: 'The `nextCursor` of the page before.' }),
  ),
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Null: this is the last page. */
  readonly nextCursor: string | null
}

/** The schema of a list's answer. */
export function PageOf<Item extends TSchema>(
  item: Item,
): TObject<{ items: TArray<Item>; nextCursor: TUnion<[TString, TNull]> }> {
  return Type.Object({ items: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) })
}

/** Which list is read, and of what project; null: of none. A cursor leads on in that list alone. */
export interface ListPlace {
  readonly list: string
  readonly projectId: string | null
}

/** What to ask the database for. */
export interface PageRequest {
  readonly limit: number
  /** The sort key of the last item of the page before; undefined: from the start. */
  readonly after: string | undefined
  /** One more than `limit`: whether there is a next page shows by whether the last one comes. */
  readonly rows: number
  /** What its cursors are bound to: the list, the project and the filters. */
  readonly binding: string
}

/**
 * Reads what page is asked for. Pages go on after a sort key that never changes, so rows that come and go between two
 * pages make no other row appear twice or not at all. Throws `invalid_request` for a cursor of another list, project or
 * set of filters, and for one that was altered.
 */
export function readPageRequest(
  { limit = DEFAULT_LIMIT, cursor, ...filters }: { readonly limit?: number; readonly cursor?: string },
  { list, projectId }: ListPlace,
): PageRequest {
  const chosen = Object.entries(filters).filter(([, value]) => value !== undefined)
  const binding = JSON.stringify([list, projectId, chosen.sort(([a], [b]) => (a < b ? -1 : 1))])
  return {
    limit,
    after: cursor === undefined ? undefined : readCursor(cursor, binding),
    rows: limit + 1,
    binding,
  }
}

/** Cuts the rows to the page; `keyOf` gives the sort key that the next page starts after. */
export function makePage<Row, Item>(
  rows: readonly Row[],
  request: PageRequest,
  describe: { keyOf: (row: Row) => string; itemOf: (row: Row) => Item },
): Page<Item> {
  const shown = rows.slice(0, request.limit)
  const last = shown.at(-1)
  const hasMore = rows.length > request.limit && last !== undefined
  return {
    items: shown.map(describe.itemOf),
    nextCursor: makeCursor(hasMore ? describe.keyOf(last) : undefined, request),
  }
}

/** The cursor of what comes after the sort key; null: there is nothing after it. */
export function makeCursor(key: string | undefined, { binding }: PageRequest): string | null {
  return key === undefined ? null : writeCursor(key, binding)
}

/**
 * A cursor is opaque to callers: a check over what it belongs to, and the sort key in base64url. It is no secret: who
 * makes one up reads what the list shows anyway, from another place on.
 */
function writeCursor(key: string, binding: string): string {
  return (
    sha256(JSON.stringify([binding, key])).slice(0, CHECK_LENGTH) + Buffer.from(key).toString('base64url')
  )
}

function readCursor(cursor: string, binding: string): string {
  const key = Buffer.from(cursor.slice(CHECK_LENGTH), 'base64url').toString()
  if (key !== '' && writeCursor(key, binding) === cursor) return key
  throw new CodedError(
    'invalid_request',
    '`cursor` is none that this list answered to the same filters in this project. Pass `nextCursor` as it is, or begin without one.',
  )
}
