import Type from 'typebox'
import { CodedError } from './coded-error.ts'

const MAX_BYTES = 8192

/** Whatever the caller wants to find again with a credential's verdict. */
export const Metadata = Type.Record(Type.String(), Type.Unknown(), {
  description: `Your own data, handed back with each verdict; at most ${MAX_BYTES} bytes of JSON.`,
})

/** The metadata as JSON text. A value that is no JSON, which only the library can be given, is refused. */
export function formatMetadata(metadata: Readonly<Record<string, unknown>>): string {
  const text = tryStringify(metadata)
  if (text === undefined) throw new CodedError('invalid_request', '`metadata` cannot be written as JSON.')
  if (Buffer.byteLength(text) <= MAX_BYTES) return text
  throw new CodedError('invalid_request', `\`metadata\` is larger than ${MAX_BYTES} bytes of JSON.`)
}

function tryStringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
