import Type, { type TArray, type TNull, type TObject, type TSchema, type TString, type TUnion } from 'typebox'
import { CodedError } from './coded-error.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 200
const MAX_CURSOR_LENGTH = 2048

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

/** What to ask the database for. */
export interface PageRequest {
  readonly limit: number
  /** The sort key of the last item of the page before; undefined: from the start. */
  readonly after: string | undefined
  /** One more than `limit`: whether there is a next page shows by whether the last one comes. */
  readonly rows: number
}

export function readPageRequest(input: { limit?: number; cursor?: string }): PageRequest {
  const limit = input.limit ?? DEFAULT_LIMIT
  return {
    limit,
    after: input.cursor === undefined ? undefined : readCursor(input.cursor),
    rows: limit + 1,
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
    nextCursor: makeCursor(hasMore ? describe.keyOf(last) : undefined),
  }
}

/** A cursor is opaque to callers: the sort key in base64url. Null: there is nothing after it. */
export function makeCursor(key: string | undefined): string | null {
  return key === undefined ? null : Buffer.from(key).toString('base64url')
}

function readCursor(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString()
  if (key !== '' && Buffer.from(key).toString('base64url') === cursor) return key
  throw new CodedError(
    'invalid_request',
    '`cursor` is none that a list answered. Pass `nextCursor` as it is.',
  )
}
