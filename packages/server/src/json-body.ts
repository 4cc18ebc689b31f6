import { isUtf8 } from 'node:buffer'
import { CodedError } from '@claviger/engine'
import { parseStrictJson, readPlainObject } from '@claviger/verify'
import type { FastifyInstance } from 'fastify'

/** Of a longer body each text that is kept would keep the whole. */
const MAX_PLAIN_BYTES = 4096

/**
 * Bodies are JSON and nothing else. They are read as strictly as tokens are: a member that stands twice means
 * one thing to this server and another to whoever checked the body on its way here.
 * A body without content counts as none, whatever its media type.
 */
export function acceptJsonBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (_request, bytes, done) => {
    if (bytes.length === 0) return done(null, undefined)
    const { body, fault } = readJsonBody(bytes)
    done(fault ?? null, body)
  })
}

/** The object that a body holds, or what is wrong with it. */
export function readJsonBody(bytes: Buffer): { body?: Record<string, unknown>; fault?: CodedError } {
  const plain = bytes.length <= MAX_PLAIN_BYTES ? readPlainObject(bytes.toString('latin1'), bytes) : undefined
  const body = plain ?? (isUtf8(bytes) ? parseStrictJson(bytes.toString()) : undefined)
  if (body !== undefined) return { body }
  const fault = new CodedError(
    'invalid_request',
    'The body must be one JSON object in UTF-8, nested at most 32 deep, with no member twice and none named `__proto__`.',
  )
  return { fault }
}
