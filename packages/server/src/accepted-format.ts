import type { Format } from './routes/route.ts'

/**
 * Which of the formats a request asks for by its `Accept` header (RFC 9110, section 12.5.1): the first that is named.
 * Undefined: JSON, which is also the answer to who asks for nothing that there is.
 */
export function acceptedFormat(formats: readonly Format[], accept: string | undefined): Format | undefined {
  for (const range of (accept ?? '').split(',')) {
    const [name = ''] = range.split(';', 1)
    const wanted = name.trim().toLowerCase()
    if (wanted === 'application/json' || wanted === '*/*') return undefined
    const format = formats.find(({ mediaType }) => mediaType === wanted)
    if (format !== undefined) return format
  }
  return undefined
}
