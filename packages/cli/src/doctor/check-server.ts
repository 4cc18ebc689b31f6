import { type Check, fault, ok, warning } from './check.ts'

const TIMEOUT_MS = 5_000
const MAX_CLOCKS_APART_MS = 5_000

/** What a running server says of itself to anybody. */
export async function checkServer(url: string, nowMs: () => number): Promise<readonly Check[]> {
  let response: Response
  let body: unknown
  try {
    response = await fetch(new URL('/readyz', url), {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    })
    body = await response.json()
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    return [
      fault('server', `${url} does not answer as Claviger does (${cause}). Start it, or name another --url.`),
    ]
  }
  const checks = [judgeReadiness(url, body)]
  const { protocol, hostname } = new URL(url)
  if (protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) {
    checks.push(warning('server-http', `${url} is plain HTTP: whoever is on the way reads every credential.`))
  }
  const apartMs = Math.abs(Date.parse(response.headers.get('date') ?? '') - nowMs())
  if (apartMs > MAX_CLOCKS_APART_MS) {
    checks.push(
      warning(
        'server-clock',
        `The server's clock and this one differ by ${Math.round(apartMs / 1000)} s. Set both.`,
      ),
    )
  }
  return checks
}

function judgeReadiness(url: string, body: unknown): Check {
  if (typeof body !== 'object' || body === null || !('status' in body)) {
    return fault('server', `${url} is no Claviger server.`)
  }
  const problems =
    'problems' in body && Array.isArray(body.problems) ? body.problems.map(String).join(', ') : ''
  if (body.status === 'ready') return ok('server', `${url} is ready.`)
  return body.status === 'degraded'
    ? warning('server', `${url} verifies, while something is amiss: ${problems}. Its log says more.`)
    : fault('server', `${url} cannot do its work: ${problems}. Its log says more.`)
}
