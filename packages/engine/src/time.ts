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

let last = Number.NaN
let lastText = ''

/** The text of the last time is kept: what happens in one second mostly names one time again and again. */
export function formatTime(ms: number): string {
  if (ms !== last) {
    lastText = new Date(ms).toISOString()
    last = ms
  }
  return lastText
}

export function formatTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : formatTime(ms)
}
