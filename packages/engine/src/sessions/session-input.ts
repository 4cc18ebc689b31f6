import { parseIp } from '@claviger/verify'
import Type from 'typebox'
import { CodedError } from '../coded-error.ts'

export const Device = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'What the session is used with, for the list: `Firefox on Linux`.',
})

export const ClientAddress = Type.String({
  maxLength: 64,
  description: "The end client's address, for the list.",
})

export const RefreshToken = Type.String({ minLength: 1, maxLength: 128 })

/** Refuses what is no IP address: it would be shown to people who act on it. */
export function checkClientAddress(ip: string | undefined): string | null {
  if (ip === undefined) return null
  if (parseIp(ip) !== undefined) return ip
  throw new CodedError('invalid_request', '`ip` is no IP address. Write it as in 192.0.2.7 or 2001:db8::1.')
}
