import { isKeyPrefix, isReservedKeyPrefix, parseCidr } from '@claviger/verify'
import Type from 'typebox'
import { CodedError } from '../coded-error.ts'
import { Time } from '../time.ts'

const MAX_PREFIX_LENGTH = 24
const MAX_BLOCKS = 256

export const KeyName = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'For people; need not be unique.',
})

export const KeyPrefix = Type.String({
  maxLength: MAX_PREFIX_LENGTH,
  pattern: '^[a-z0-9]+(_[a-z0-9]+)*$',
  description:
    "What the key's text begins with, as in `acme_live`. Not `clv…`, and not one that ends in `_rt`.",
})

export const ExpiresAt = Type.Union([Time, Type.Null()], {
  description: 'From then on `expired`; null: never.',
})

export const NotBefore = Type.Union([Time, Type.Null()], {
  description: 'Before then `not_yet_valid`; null: valid at once.',
})

/** An empty list would let nobody in: whoever writes one meant something else. */
export const IpAllow = Type.Union(
  [Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: MAX_BLOCKS }), Type.Null()],
  { description: 'Addresses or CIDR blocks that the end client must come from; null: from anywhere.' },
)

/** Refuses a prefix that is kept for Claviger's own. */
export function checkKeyPrefix(prefix: string): string {
  if (isKeyPrefix(prefix) && !isReservedKeyPrefix(prefix)) return prefix
  throw new CodedError(
    'invalid_request',
    'The prefix is reserved: it must not begin with `clv` or end in `_rt`. Choose another.',
  )
}

/** Refuses an entry that is no address and no CIDR block. */
export function checkIpAllow(list: readonly string[] | null): readonly string[] | null {
  for (const [index, text] of (list ?? []).entries()) {
    const block = parseCidr(text)
    if ('fault' in block) throw new CodedError('invalid_request', `\`ipAllow.${index}\`: ${block.fault}`)
  }
  return list
}

/** Refuses a span in which the key would never be valid. */
export function checkSpan(span: {
  readonly notBeforeMs: number | null
  readonly expiresAtMs: number | null
}): void {
  if (span.notBeforeMs === null || span.expiresAtMs === null || span.notBeforeMs < span.expiresAtMs) return
  throw new CodedError('invalid_request', '`notBefore` must be before `expiresAt`.')
}

/** Refuses an expiry that lies behind: such a key would be born dead. */
export function checkFuture(expiresAtMs: number | null, nowMs: number): void {
  if (expiresAtMs === null || expiresAtMs > nowMs) return
  throw new CodedError('invalid_request', '`expiresAt` is in the past. Name a later time.')
}
