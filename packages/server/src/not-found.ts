import { CodedError } from '@claviger/engine'
import type { FastifyInstance } from 'fastify'
import { sendProblem } from './problem.ts'

interface KnownPath {
  readonly segments: readonly string[]
  readonly methods: Set<string>
}

/**
 * Answers 404 to addresses that lead nowhere, and 405 with the methods that there are to those that lead somewhere
 * with another method. To be called before the routes are added: it takes note of them.
 */
export function answerNotFound(server: FastifyInstance): void {
  const known = new Map<string, KnownPath>()
  server.addHook('onRoute', ({ url, method }) => {
    const path = known.get(url) ?? { segments: url.split('/'), methods: new Set<string>() }
    for (const name of [method].flat()) path.methods.add(name)
    known.set(url, path)
  })
  server.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?', 1)
    const paths = [...known.values()].filter((candidate) => leadsTo(candidate, path.split('/')))
    const allowed = new Set(paths.flatMap(({ methods }) => [...methods]))
    // A route that takes the method and found nothing has come here by itself.
    if (allowed.size === 0 || allowed.has(request.method)) {
      return sendProblem(reply, new CodedError('not_found', 'There is nothing at this address.'))
    }
    const list = [...allowed].sort().join(', ')
    reply.header('allow', list)
    return sendProblem(
      reply,
      new CodedError('method_not_allowed', `The address takes ${list}, not ${request.method}.`),
    )
  })
}

/** Whether a path fits a pattern of Fastify's: `:name` is any one segment, a last `*` all the rest. */
function leadsTo({ segments }: KnownPath, path: readonly string[]): boolean {
  const rest = segments.at(-1) === '*'
  if (rest ? path.length < segments.length : path.length !== segments.length) return false
  return segments.every(
    (segment, index) =>
      (rest && index === segments.length - 1) ||
      (segment.startsWith(':') ? path[index] !== '' : segment === path[index]),
  )
}
