import { type Page, PageOf, ReadUsageInput, UsageView } from '@claviger/engine'
import { csvLine } from '../csv.ts'
import { defineRoute, type Format, type Route } from './route.ts'

const FORMATS: readonly Format[] = [
  {
    mediaType: 'text/csv',
    description: 'A line a count, after one with the names of the columns (RFC 4180).',
    write: writeCsv,
  },
  {
    mediaType: 'application/x-ndjson',
    description: 'A JSON object a line, as in `items`.',
    write: (page) => page.items.map((item) => `${JSON.stringify(item)}\n`).join(''),
  },
]

export const usageRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/v1/usage',
    verb: 'usage:read',
    operationId: 'readUsage',
    tag: 'Usage',
    summary: 'Read usage',
    description:
      'How often credentials of the project were verified, those that were refused included, or tokens and sessions issued: by key, subject, outcome, tag, client address, kind and time. With `Accept: text/csv` or `application/x-ndjson` the page is written so, and `Claviger-Next-Cursor` is the cursor of the next one, if there is any.',
    query: ReadUsageInput,
    answer: { status: 200, description: 'The counts.', schema: PageOf(UsageView) },
    formats: FORMATS,
    handle: ({ project, query }) => project.usage.read(query),
  }),
]

/** The columns are those of the first item: a question groups all of them alike. */
function writeCsv({ items }: Page<unknown>): string {
  const rows = items as readonly UsageView[]
  const columns = Object.keys(rows[0] ?? { count: 0 }) as (keyof UsageView)[]
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))]
  return lines.map((line) => `${csvLine(line)}\r\n`).join('')
}
