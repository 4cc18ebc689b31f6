import { MAX_TOKEN_LIFE_SECONDS } from '@claviger/verify'
import Type from 'typebox'

/** A service that tokens are meant for: what its verifiers look for in `aud`. */
export const Audience = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'A service that tokens are meant for, by the name that its verifiers look for in `aud`.',
})

export const TtlSeconds = Type.Integer({
  minimum: 1,
  maximum: MAX_TOKEN_LIFE_SECONDS,
  description: 'How long a token lives.',
})
