import { formatInstant } from '@claviger/verify'
import Type from 'typebox'
import { CodedError } from './coded-error.ts'

/** A point in time as callers write and read it. */
export const Time = Type.String({
  format: 'date-time',
  maxLength: 64,
  description: 'RFC 3339, with an offset; answers are in UTC with milliseconds.',
})

/** Epoch milliseconds of an RFC 3339 text that passed the schema. `member` names it in the error. */
export function parseTime(text: string, member: string): number {
  const ms = Date.parse(text)
  if (Number.isSafeInteger(ms) && ms >= 0) return ms
  throw new CodedError(
    'invalid_request',
    `\`${member}\` is no time from 1970 on. Write it as in 2027-01-31T12:00:00Z.`,
  )
}

export { formatInstant as formatTime } from '@claviger/verify'

export function formatTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : formatInstant(ms)
}
