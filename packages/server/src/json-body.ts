import { isUtf8 } from 'node:buffer'
import { CodedError } from '@claviger/engine'
import { parseStrictJson } from '@claviger/verify'
import type { FastifyInstance } from 'fastify'

/**
 * Bodies are JSON and nothing else. They are read as strictly as tokens are: a member that stands twice means
 * one thing to this server and another to whoever checked the body on its way here.
 * A body without content counts as none, whatever its media type.
 */
export function acceptJsonBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (_request, bytes, done) => {
    if (bytes.length === 0) return done(null, undefined)
    const body = isUtf8(bytes) ? parseStrictJson(bytes.toString()) : undefined
    if (body === undefined) done(notStrictJson())
    else done(null, body)
  })
}

function notStrictJson(): CodedError {
  return new CodedError(
    'invalid_request',
    'The body must be one JSON object in UTF-8, nested at most 32 deep, with no member twice and none named `__proto__`.',
  )
}
