import { CodedError } from '@claviger/engine'
import type { TObject, TSchema } from 'typebox'

/**
 * The members of a query string, each read from text as its schema says; a value that does not read so stays
 * text, for the check of the whole to refuse. A route without a schema takes no query.
 */
export function readQuery(schema: TObject | undefined, raw: unknown): Readonly<Record<string, unknown>> {
  const entries = Object.entries(raw ?? {})
  if (schema === undefined) {
    const [first] = entries
    if (first === undefined) return NO_QUERY
    throw new CodedError('invalid_request', `The route takes no query, but \`${first[0]}\` was given.`)
  }
  return Object.fromEntries(entries.map(([name, value]) => [name, fromText(schema.properties[name], value)]))
}

const NO_QUERY = Object.freeze({})

function fromText(schema: TSchema | undefined, value: unknown): unknown {
  if (schema === undefined || !('type' in schema) || typeof value !== 'string') return value
  if (schema.type === 'integer' && /^[0-9]{1,15}$/.test(value)) return Number(value)
  if (schema.type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}
