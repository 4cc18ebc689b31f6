import type { Call } from './protect.ts'

/**
 * A `Request` as it is looked at. It joins what came in several headers with commas, and no credential has one: they are
 * taken apart again, so that two are seen to be two. An address that the platform fails to tell is not known.
 */
export function webCall(request: Request, peerOf: () => string | undefined): Call {
  const rawHeaders: string[] = []
  for (const [name, value] of request.headers)
    for (const part of value.split(',')) rawHeaders.push(name, part.trim())
  return { rawHeaders, target: request.url, peer: peerIn(peerOf) }
}

function peerIn(peerOf: () => string | undefined): string | undefined {
  try {
    return peerOf()
  } catch {
    return undefined
  }
}
